# Types that only wscore's modules may instantiate.
#
# Their methods rely on complete objects: to check that would cost time with each message. So Python
# code must not get an incomplete one: it can neither call `__new__` directly, nor derive a class
# whose `__init__` may not call ours, nor instantiate a type without `__init__`.

cdef extern from *:
    """
    static int wscore_refuse_init(PyObject *self, PyObject *args, PyObject *keywords) {
        (void)args;
        (void)keywords;
        PyErr_Format(PyExc_TypeError, "cannot create '%s' objects: only wscore makes them",
                     Py_TYPE(self)->tp_name);
        return -1;
    }

    static int wscore_defines_init(PyTypeObject *type) {
        for (; type->tp_base != NULL; type = type->tp_base)  /* up to object */
            if (PyDict_GetItemString(type->tp_dict, "__init__") != NULL)
                return 1;
        return 0;
    }

    static int wscore_seal(PyObject *object) {
        PyTypeObject *type = (PyTypeObject *)object;
        if (PyDict_GetItemString(type->tp_dict, "__new__") != NULL
                && PyDict_DelItemString(type->tp_dict, "__new__") < 0)
            return -1;
        if (!wscore_defines_init(type)) {
            type->tp_init = wscore_refuse_init;
            type->tp_vectorcall = NULL; /* set by Cython from 3.3 on; it bypasses tp_init */
        }
        type->tp_flags &= ~Py_TPFLAGS_BASETYPE;
        PyType_Modified(type);
        return 0;
    }
    """
    int seal_type "wscore_seal"(object type) except -1
