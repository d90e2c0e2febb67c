/* SPDX-License-Identifier: BSD-2-Clause */
/* Registering a watch with a function for the outcome; between store files. */

#ifndef RT_STORE_WATCH_H
#define RT_STORE_WATCH_H

#include <rt/store.h>

/*
 * As xs_watch_async(); @reply(@reply_arg, ...) gets the answer.  *watch is set
 * before anything can be called, and NULL if the result is negative.
 */
int xs_watch_request(struct xs *xs, const char *path, xs_watch_fn fn, void *arg,
                     struct xs_watch **watch, xs_reply_fn reply,
                     void *reply_arg);

#endif /* RT_STORE_WATCH_H */
