/* SPDX-License-Identifier: BSD-2-Clause */
/* Doubly linked lists whose links live inside their elements. */

#pragma once

/* An element's links, and also a list's head; an idle link points to itself. */
struct list {
    struct list *next, *prev;
};

static inline void list_init(struct list *l)
{
    l->next = l;
    l->prev = l;
}

static inline bool list_empty(const struct list *l)
{
    return l->next == l;
}

static inline void list_add_tail(struct list *head, struct list *element)
{
    element->prev = head->prev;
    element->next = head;
    head->prev->next = element;
    head->prev = element;
}

/* Take @element out of whatever list it is in; it is idle afterwards. */
static inline void list_del(struct list *element)
{
    element->prev->next = element->next;
    element->next->prev = element->prev;
    list_init(element);
}

#define list_first(head, type, member) container_of((head)->next, type, member)
