/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Fibers; see fiber.h. A stack is made and entered with ucontext. Later switches to it are jumps
 * that leave the signal mask alone: swapcontext() makes a system call each time, which would cost
 * more than all that is simulated between two switches. AddressSanitizer watches jumps too closely
 * for that; under it swapcontext() does them all, with annotations that let it follow.
 */
#define _GNU_SOURCE
#include "engine/fiber.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#if defined(__wasm__)

struct fiber *fiber_create(void (*entry)(void *ctx), void *ctx)
{
    (void)entry;
    (void)ctx;
    return NULL;
}
void fiber_destroy(struct fiber *fiber)
{
    (void)fiber;
}
void fiber_enter(struct fiber *fiber)
{
    (void)fiber;
    abort();
}
void fiber_leave(struct fiber *fiber)
{
    (void)fiber;
    abort();
}
void fiber_switch(struct fiber *from, struct fiber *to)
{
    (void)from;
    (void)to;
    abort();
}

#else

#include <setjmp.h>
#include <ucontext.h>

#if defined(__SANITIZE_ADDRESS__)
#define FIBER_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define FIBER_ASAN 1
#endif
#endif

#ifdef FIBER_ASAN
#include <sanitizer/common_interface_defs.h>
#endif

#define FIBER_STACK_BYTES ((size_t)256 * 1024)

/* Somewhere to go on at. */
struct place {
    ucontext_t context;
#ifndef FIBER_ASAN
    sigjmp_buf jump;
    bool left; /* once before: go on there, not at the context */
#endif
};

#ifdef FIBER_ASAN

static void place_go(const struct place *to)
{
    setcontext(&to->context);
}

static void place_switch(struct place *from, const struct place *to)
{
    swapcontext(&from->context, &to->context);
}

#else

static void place_go(struct place *to)
{
    if (to->left)
        siglongjmp(to->jump, 1);
    setcontext(&to->context);
}

static __attribute__((noinline)) void place_switch(struct place *from, struct place *to)
{
    from->left = true;
    if (sigsetjmp(from->jump, 0) == 0)
        place_go(to);
}

#endif

struct fiber {
    struct place own;
    struct place main;  /* where fiber_enter() was called; valid in the fiber that was entered */
    struct place *home; /* where to leave to: `main` of the fiber that was entered */
    void (*entry)(void *ctx);
    void *ctx;
    char *stack;
#ifdef FIBER_ASAN
    bool entered; /* resumed from the main stack, not from another fiber */
    void *own_fake, *main_fake;
    const void *main_bottom;
    size_t main_size;
#endif
};

/* The sanitizer is told of every switch, before it and, on the stack switched to, after it. */

static inline void fiber_before_switch(struct fiber *from, const struct fiber *to)
{
#ifdef FIBER_ASAN
    __sanitizer_start_switch_fiber(&from->own_fake, to->stack, FIBER_STACK_BYTES);
#else
    (void)from;
    (void)to;
#endif
}

static inline void fiber_resumed(struct fiber *fiber)
{
#ifdef FIBER_ASAN
    const void *bottom;
    size_t size;
    __sanitizer_finish_switch_fiber(fiber->own_fake, &bottom, &size);
    if (fiber->entered) {
        fiber->main_bottom = bottom;
        fiber->main_size = size;
    }
#else
    (void)fiber;
#endif
}

static void fiber_main(unsigned high, unsigned low)
{
    struct fiber *fiber = (struct fiber *)(((uintptr_t)high << 16 << 16) | low);
    fiber_resumed(fiber);
    fiber->entry(fiber->ctx);
#ifdef FIBER_ASAN
    __sanitizer_start_switch_fiber(NULL, fiber->main_bottom, fiber->main_size);
#endif
    place_go(fiber->home);
}

/* Apart from fiber_create(), because nothing that getcontext() could return to twice may live in a
 * local variable. */
static bool fiber_prepare(struct fiber *fiber)
{
    ucontext_t *context = &fiber->own.context;
    if (getcontext(context) != 0)
        return false;
    context->uc_stack.ss_sp = fiber->stack;
    context->uc_stack.ss_size = FIBER_STACK_BYTES;
    context->uc_link = NULL;
    /* makecontext passes ints: the pointer travels in two halves. */
    makecontext(context, (void (*)(void))fiber_main, 2, (unsigned)((uintptr_t)fiber >> 16 >> 16),
                (unsigned)(uintptr_t)fiber);
    return true;
}

struct fiber *fiber_create(void (*entry)(void *ctx), void *ctx)
{
    struct fiber *fiber = calloc(1, sizeof *fiber);
    if (fiber == NULL)
        return NULL;
    fiber->entry = entry;
    fiber->ctx = ctx;
    fiber->stack = malloc(FIBER_STACK_BYTES);
    if (fiber->stack != NULL && fiber_prepare(fiber))
        return fiber;
    fiber_destroy(fiber);
    return NULL;
}

void fiber_destroy(struct fiber *fiber)
{
    if (fiber == NULL)
        return;
    free(fiber->stack);
    free(fiber);
}

void fiber_enter(struct fiber *fiber)
{
    fiber->home = &fiber->main;
#ifdef FIBER_ASAN
    fiber->entered = true;
    __sanitizer_start_switch_fiber(&fiber->main_fake, fiber->stack, FIBER_STACK_BYTES);
#endif
    place_switch(&fiber->main, &fiber->own);
#ifdef FIBER_ASAN
    __sanitizer_finish_switch_fiber(fiber->main_fake, NULL, NULL);
#endif
}

void fiber_leave(struct fiber *fiber)
{
#ifdef FIBER_ASAN
    __sanitizer_start_switch_fiber(&fiber->own_fake, fiber->main_bottom, fiber->main_size);
#endif
    place_switch(&fiber->own, fiber->home);
    fiber_resumed(fiber);
}

void fiber_switch(struct fiber *from, struct fiber *to)
{
    to->home = from->home;
#ifdef FIBER_ASAN
    to->entered = false;
    to->main_bottom = from->main_bottom;
    to->main_size = from->main_size;
#endif
    fiber_before_switch(from, to);
    place_switch(&from->own, &to->own);
    fiber_resumed(from);
}

#endif
