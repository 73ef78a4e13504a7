/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The call → kind table: what an interruptible sleep inside a system call waits for. One row a
 * call: name, its numbers on x86_64, i386, arm64 and arm (EABI), kind. A call that has no row
 * sleeps as `other`. Columns hold NO where an architecture has no such call.
 */
#ifndef CALLS_H
#define CALLS_H

enum lt_wait {
	LT_WAIT_OTHER,
	LT_WAIT_LOCK,
	LT_WAIT_FILE_LOCK, /* lock; counts as service time: nobody idles in it */
	LT_WAIT_NET,
	LT_WAIT_POLL,
	LT_WAIT_SLEEP,
	LT_WAIT_IO,
	LT_WAIT_FD,	 /* net if the first argument is a socket, else io */
	LT_WAIT_FD_1_2,	 /* … if the first or the second is */
	LT_WAIT_FD_1_3,	 /* … if the first or the third is */
	LT_WAIT_FCNTL,	 /* lock for F_SETLKW and its kind, else io */
	LT_WAIT_IPC,	 /* i386 multiplexer: semop is lock, else io */
	LT_WAIT_CLONE,	 /* the parent of a vfork: sleep, although uninterruptible */
	LT_WAIT_RESTART, /* restart_syscall: the kind of the call that was interrupted */
};

/* clang-format off */
#define NO (-1)
#define LT_CALL_TABLE(ROW) \
	ROW(futex, 202, 240, 98, 240, LOCK) \
	ROW(futex_time64, NO, 422, NO, 422, LOCK) \
	ROW(futex_waitv, 449, 449, 449, 449, LOCK) \
	ROW(futex_wait, 455, 455, 455, 455, LOCK) \
	ROW(semop, 65, NO, 193, 298, LOCK) \
	ROW(semtimedop, 220, NO, 192, 312, LOCK) \
	ROW(semtimedop_time64, NO, 420, NO, 420, LOCK) \
	ROW(flock, 73, 143, 32, 143, FILE_LOCK) \
	ROW(fcntl, 72, 55, 25, 55, FCNTL) \
	ROW(fcntl64, NO, 221, NO, 221, FCNTL) \
	ROW(ipc, NO, 117, NO, NO, IPC) \
	ROW(accept, 43, NO, 202, 285, NET) \
	ROW(accept4, 288, 364, 242, 366, NET) \
	ROW(connect, 42, 362, 203, 283, NET) \
	ROW(recv, NO, NO, NO, 291, NET) \
	ROW(recvfrom, 45, 371, 207, 292, NET) \
	ROW(recvmsg, 47, 372, 212, 297, NET) \
	ROW(recvmmsg, 299, 337, 243, 365, NET) \
	ROW(recvmmsg_time64, NO, 417, NO, 417, NET) \
	ROW(send, NO, NO, NO, 289, NET) \
	ROW(sendto, 44, 369, 206, 290, NET) \
	ROW(sendmsg, 46, 370, 211, 296, NET) \
	ROW(sendmmsg, 307, 345, 269, 374, NET) \
	ROW(socketcall, NO, 102, NO, NO, NET) \
	ROW(read, 0, 3, 63, 3, FD) \
	ROW(write, 1, 4, 64, 4, FD) \
	ROW(readv, 19, 145, 65, 145, FD) \
	ROW(writev, 20, 146, 66, 146, FD) \
	ROW(pread64, 17, 180, 67, 180, FD) \
	ROW(pwrite64, 18, 181, 68, 181, FD) \
	ROW(preadv, 295, 333, 69, 361, FD) \
	ROW(pwritev, 296, 334, 70, 362, FD) \
	ROW(preadv2, 327, 378, 286, 392, FD) \
	ROW(pwritev2, 328, 379, 287, 393, FD) \
	ROW(close, 3, 6, 57, 6, FD) \
	ROW(ioctl, 16, 54, 29, 54, FD) \
	ROW(vmsplice, 278, 316, 75, 343, FD) \
	ROW(sendfile, 40, 187, 71, 187, FD_1_2) \
	ROW(sendfile64, NO, 239, NO, 239, FD_1_2) \
	ROW(tee, 276, 315, 77, 342, FD_1_2) \
	ROW(splice, 275, 313, 76, 340, FD_1_3) \
	ROW(copy_file_range, 326, 377, 285, 391, IO) \
	ROW(open, 2, 5, NO, 5, IO) \
	ROW(openat, 257, 295, 56, 322, IO) \
	ROW(openat2, 437, 437, 437, 437, IO) \
	ROW(fsync, 74, 118, 82, 118, IO) \
	ROW(fdatasync, 75, 148, 83, 148, IO) \
	ROW(mq_timedreceive, 243, 280, 183, 277, IO) \
	ROW(mq_timedreceive_time64, NO, 419, NO, 419, IO) \
	ROW(mq_timedsend, 242, 279, 182, 276, IO) \
	ROW(mq_timedsend_time64, NO, 418, NO, 418, IO) \
	ROW(msgrcv, 70, 401, 188, 303, IO) \
	ROW(msgsnd, 69, 400, 189, 301, IO) \
	ROW(poll, 7, 168, NO, 168, POLL) \
	ROW(ppoll, 271, 309, 73, 336, POLL) \
	ROW(ppoll_time64, NO, 414, NO, 414, POLL) \
	ROW(select, 23, 82, NO, 82, POLL) \
	ROW(_newselect, NO, 142, NO, 142, POLL) \
	ROW(pselect6, 270, 308, 72, 335, POLL) \
	ROW(pselect6_time64, NO, 413, NO, 413, POLL) \
	ROW(epoll_wait, 232, 256, NO, 252, POLL) \
	ROW(epoll_pwait, 281, 319, 22, 346, POLL) \
	ROW(epoll_pwait2, 441, 441, 441, 441, POLL) \
	ROW(io_uring_enter, 426, 426, 426, 426, POLL) \
	ROW(io_getevents, 208, 247, 4, 245, POLL) \
	ROW(io_pgetevents, 333, 385, 292, 399, POLL) \
	ROW(io_pgetevents_time64, NO, 416, NO, 416, POLL) \
	ROW(nanosleep, 35, 162, 101, 162, SLEEP) \
	ROW(clock_nanosleep, 230, 267, 115, 265, SLEEP) \
	ROW(clock_nanosleep_time64, NO, 407, NO, 407, SLEEP) \
	ROW(pause, 34, 29, NO, 29, SLEEP) \
	ROW(waitpid, NO, 7, NO, NO, SLEEP) \
	ROW(wait4, 61, 114, 260, 114, SLEEP) \
	ROW(waitid, 247, 284, 95, 280, SLEEP) \
	ROW(sigsuspend, NO, 72, NO, 72, SLEEP) \
	ROW(rt_sigsuspend, 130, 179, 133, 179, SLEEP) \
	ROW(rt_sigtimedwait, 128, 177, 137, 177, SLEEP) \
	ROW(rt_sigtimedwait_time64, NO, 421, NO, 421, SLEEP) \
	ROW(vfork, 58, 190, NO, 190, CLONE) \
	ROW(clone, 56, 120, 220, 120, CLONE) \
	ROW(clone3, 435, 435, 435, 435, CLONE) \
	ROW(restart_syscall, 219, 0, 128, 0, RESTART)
/* clang-format on */

/* Numbers that the accounting itself must know: x86_64, i386 and arm64, arm. */
#if defined(__TARGET_ARCH_arm64) || defined(__aarch64__)
#define LT_NR_EXECVE 221
#define LT_NR_EXIT 93
#define LT_NR_EXIT_GROUP 94
#define LT_NR_ACCEPT 202
#define LT_NR_ACCEPT4 242
#define LT_NR_SPLICE 76
#define LT_NR32_EXECVE 11
#define LT_NR32_EXIT 1
#define LT_NR32_EXIT_GROUP 248
#define LT_NR32_ACCEPT 285
#define LT_NR32_ACCEPT4 366
#define LT_NR32_SPLICE 340
#else
#define LT_NR_EXECVE 59
#define LT_NR_EXIT 60
#define LT_NR_EXIT_GROUP 231
#define LT_NR_ACCEPT 43
#define LT_NR_ACCEPT4 288
#define LT_NR_SPLICE 275
#define LT_NR32_EXECVE 11
#define LT_NR32_EXIT 1
#define LT_NR32_EXIT_GROUP 252
#define LT_NR32_ACCEPT4 364
#define LT_NR32_SPLICE 313
#define LT_NR32_SOCKETCALL 102 /* i386 multiplexer */
#endif

/* exit and exit_group never return: they count at enter. */
static inline __attribute__((always_inline)) int lt_call_exits(unsigned int abi, unsigned int nr)
{
	if (abi == 1)
		return nr == LT_NR32_EXIT || nr == LT_NR32_EXIT_GROUP;
	return nr == LT_NR_EXIT || nr == LT_NR_EXIT_GROUP;
}

#endif
