/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Signals that end a program: see signals.h. */
#include "signals.h"

#include <string.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LIBRARY_FIRST 32 /* reserved by the C library: its sigaction() and sigset_t leave them out */
#define LIBRARY_LAST 33
#define KERNEL_SET_BYTES (_NSIG / 8)
#define STACK_BYTES 16384

static void (*last_words)(void);
static const int faults[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS };
#define FAULTS (sizeof(faults) / sizeof(faults[0]))

static bool is_fault(int signal)
{
	for (size_t i = 0; i < FAULTS; i++)
		if (faults[i] == signal)
			return true;
	return false;
}

/* All signals but these end the program by default; new ones will, too. */
static bool ends_program(int signal)
{
	switch (signal) {
	case SIGCHLD:
	case SIGURG:
	case SIGWINCH:
	case SIGCONT:
	case SIGSTOP:
	case SIGTSTP:
	case SIGTTIN:
	case SIGTTOU:
	case SIGKILL: /* cannot be caught */
		return false;
	default:
		return true;
	}
}

static bool is_taken(int signal, bool terminal)
{
	if (signal == SIGINT || signal == SIGTERM || signal == SIGHUP)
		return true;
	if (signal == SIGTSTP || signal == SIGCONT || signal == SIGWINCH)
		return terminal;
	return terminal && ends_program(signal) && !is_fault(signal);
}

static sigset_t taken(bool terminal)
{
	struct sigaction action;
	sigset_t set;

	sigemptyset(&set);
	for (int signal = 1; signal <= SIGRTMAX; signal++)
		if (is_taken(signal, terminal) && !sigaction(signal, NULL, &action) && action.sa_handler != SIG_IGN)
			sigaddset(&set, signal);
	return set;
}

void signals_block(bool terminal)
{
	sigset_t set = taken(terminal);

	sigprocmask(SIG_BLOCK, &set, NULL);
}

int signals_open(bool terminal)
{
	sigset_t set = taken(terminal);

	return signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

static void on_fault(int signal)
{
	last_words();
	/* SA_RESETHAND: blocked until we return, then fatal. */
	syscall(SYS_tgkill, getpid(), gettid(), signal);
}

/* The kernel does not reserve the library's signals: one that the library does not use ends the program. The action is
 * copied from the kernel, with the library's return code. */
static void catch_library_signals(void)
{
	union {
		struct {
			void (*handler)(int);
		};
		char bytes[128]; /* struct kernel_sigaction of any machine */
	} action, old;

	if (syscall(SYS_rt_sigaction, SIGSEGV, NULL, &action, KERNEL_SET_BYTES))
		return;
	for (int signal = LIBRARY_FIRST; signal <= LIBRARY_LAST; signal++)
		if (!syscall(SYS_rt_sigaction, signal, NULL, &old, KERNEL_SET_BYTES) && old.handler == SIG_DFL)
			syscall(SYS_rt_sigaction, signal, &action, NULL, KERNEL_SET_BYTES);
}

void signals_catch_faults(void (*function)(void))
{
	static char stack[STACK_BYTES];
	stack_t ss = { .ss_sp = stack, .ss_size = sizeof(stack) };
	struct sigaction sa = { .sa_handler = on_fault, .sa_flags = (int)(SA_ONSTACK | SA_RESETHAND) };

	last_words = function;
	sigaltstack(&ss, NULL);
	for (size_t i = 0; i < FAULTS; i++)
		sigaction(faults[i], &sa, NULL);
	catch_library_signals();
}

void signals_release_faults(void)
{
	for (size_t i = 0; i < FAULTS; i++)
		signal(faults[i], SIG_DFL);
}
