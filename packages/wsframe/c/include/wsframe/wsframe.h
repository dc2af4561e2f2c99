/**
 * @file
 * libwsframe: WebSocket framing (RFC 6455) without I/O, allocation or callbacks.
 * This header includes all others; include only this one.
 */
#ifndef WSFRAME_WSFRAME_H
#define WSFRAME_WSFRAME_H

#include "close.h"
#include "error.h"
#include "header.h"
#include "mask.h"
#include "parser.h"
#include "random.h"
#include "utf8.h"
#include "version.h"

#endif
