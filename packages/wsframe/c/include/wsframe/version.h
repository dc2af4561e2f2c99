/**
 * @file
 * Version of the library and of its binary interface.
 */
#ifndef WSFRAME_VERSION_H
#define WSFRAME_VERSION_H

#include "export.h"

/** Version of the headers, as a string. */
#define WSF_VERSION "0.1.0"

/** Version of the binary interface: structure layouts, signatures and enumerators.
 *
 * It is incremented with every change that breaks code compiled with older headers. It is also the
 * SOVERSION of the shared library.
 */
#define WSF_ABI_VERSION 1

WSF_BEGIN_DECLS

/** Return the version of the binary interface of the linked library.
 *
 * Compare it with #WSF_ABI_VERSION once, at start, if headers and library may come from different
 * builds.
 *
 * @return the value #WSF_ABI_VERSION had when the library was compiled.
 */
WSF_API unsigned wsf_abi_version(void);

/** Return the version of the linked library.
 *
 * @return a static string such as "0.1.0"; never NULL; do not free it.
 */
WSF_API const char *wsf_version_string(void);

WSF_END_DECLS

#endif
