/**
 * @file
 * Symbol visibility and C++ linkage for every wsframe header.
 * It must not include other wsframe headers. Users should not include it directly, but
 * wsframe/wsframe.h.
 */
#ifndef WSFRAME_EXPORT_H
#define WSFRAME_EXPORT_H

/* The build defines WSFRAME_SHARED for users of the shared library (CMake and pkg-config do so),
 * and WSFRAME_BUILDING only while the shared library itself is compiled. The static library is
 * compiled with hidden visibility, so a module that links it does not export its symbols.
 */
#if defined(WSFRAME_SHARED)
#if defined(_WIN32)
#if defined(WSFRAME_BUILDING)
#define WSF_API __declspec(dllexport)
#else
#define WSF_API __declspec(dllimport)
#endif
#elif defined(__GNUC__)
#define WSF_API __attribute__((visibility("default")))
#else
#define WSF_API
#endif
#else
#define WSF_API
#endif

#ifdef __cplusplus
#define WSF_BEGIN_DECLS extern "C" {
#define WSF_END_DECLS }
#else
#define WSF_BEGIN_DECLS
#define WSF_END_DECLS
#endif

#endif
