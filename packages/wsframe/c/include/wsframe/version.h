/**
 * @file
 * Version of the library and of its binary interface.
 */
#ifndef WSFRAME_VERSION_H
#define WSFRAME_VERSION_H

#include "export.h"

/** Version of the headers, as a string. */
#define WSF_VERSION "0.1.0"

/**
 * Number of the binary interface: structure layouts, signatures and enumerators.
 *
 * It grows by one with every change that makes code compiled against older headers wrong. It is
 * also the SOVERSION of the shared library.
 */
#define WSF_ABI_VERSION 1

WSF_BEGIN_DECLS

/**
 * Number of the binary interface of the library that is linked.
 *
 * Compare it with #WSF_ABI_VERSION once, at start, wherever headers and library may come from
 * different builds.
 *
 * @return the value #WSF_ABI_VERSION had when the library was compiled.
 */
WSF_API unsigned wsf_abi_version(void);

/**
 * Version of the library that is linked.
 *
 * @return a static string such as "0.1.0"; never NULL, never to be freed.
 */
WSF_API const char *wsf_version_string(void);

WSF_END_DECLS

#endif
