/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The call → kind table: what an interruptible sleep inside a system call waits for. One row per
 * call: name, its numbers on x86_64, i386, arm64 and arm (EABI), kind. NO: the architecture has
 * no such call. Calls without a row sleep as `other` and are listed at the end.
 * Calls that access a file system are io: on FUSE each of them waits for a user program's answer.
 */
#ifndef CALLS_H
#define CALLS_H

#include "lagtop.h"

enum lt_wait {
	LT_WAIT_OTHER,
	LT_WAIT_LOCK,
	LT_WAIT_FILE_LOCK, /* lock; counts as service time: idle programs do not sleep in it */
	LT_WAIT_NET,
	LT_WAIT_POLL,
	LT_WAIT_RING, /* what its requests wait for: disk, net, io; else poll */
	LT_WAIT_SLEEP,
	LT_WAIT_IO,
	LT_WAIT_FD,	 /* net if the first argument is a socket, else io */
	LT_WAIT_FD_1_2,	 /* … if the first or the second is */
	LT_WAIT_FD_1_3,	 /* … if the first or the third is */
	LT_WAIT_FCNTL,	 /* as FILE_LOCK for F_SETLKW and the like, else io */
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
	ROW(bind, 49, 361, 200, 282, NET) \
	ROW(listen, 50, 363, 201, 284, NET) \
	ROW(shutdown, 48, 373, 210, 293, NET) \
	ROW(getsockopt, 55, 365, 209, 295, NET) \
	ROW(setsockopt, 54, 366, 208, 294, NET) \
	ROW(socket, 41, 359, 198, 281, NET) \
	ROW(socketpair, 53, 360, 199, 288, NET) \
	ROW(getsockname, 51, 367, 204, 286, NET) \
	ROW(getpeername, 52, 368, 205, 287, NET) \
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
	ROW(msgrcv, 70, 401, 188, 302, IO) \
	ROW(msgsnd, 69, 400, 189, 301, IO) \
	ROW(creat, 85, 8, NO, 8, IO) \
	ROW(close_range, 436, 436, 436, 436, IO) \
	ROW(dup2, 33, 63, NO, 63, IO) \
	ROW(dup3, 292, 330, 24, 358, IO) \
	ROW(lseek, 8, 19, 62, 19, IO) \
	ROW(_llseek, NO, 140, NO, 140, IO) \
	ROW(stat, 4, 106, NO, 106, IO) \
	ROW(fstat, 5, 108, 80, 108, IO) \
	ROW(lstat, 6, 107, NO, 107, IO) \
	ROW(newfstatat, 262, NO, 79, NO, IO) \
	ROW(fstatat64, NO, 300, NO, 327, IO) \
	ROW(stat64, NO, 195, NO, 195, IO) \
	ROW(fstat64, NO, 197, NO, 197, IO) \
	ROW(lstat64, NO, 196, NO, 196, IO) \
	ROW(statx, 332, 383, 291, 397, IO) \
	ROW(oldstat, NO, 18, NO, NO, IO) \
	ROW(oldfstat, NO, 28, NO, NO, IO) \
	ROW(oldlstat, NO, 84, NO, NO, IO) \
	ROW(statfs, 137, 99, 43, 99, IO) \
	ROW(fstatfs, 138, 100, 44, 100, IO) \
	ROW(statfs64, NO, 268, NO, 266, IO) \
	ROW(fstatfs64, NO, 269, NO, 267, IO) \
	ROW(ustat, 136, 62, NO, 62, IO) \
	ROW(access, 21, 33, NO, 33, IO) \
	ROW(faccessat, 269, 307, 48, 334, IO) \
	ROW(faccessat2, 439, 439, 439, 439, IO) \
	ROW(readlink, 89, 85, NO, 85, IO) \
	ROW(readlinkat, 267, 305, 78, 332, IO) \
	ROW(getdents, 78, 141, NO, 141, IO) \
	ROW(getdents64, 217, 220, 61, 217, IO) \
	ROW(readdir, NO, 89, NO, NO, IO) \
	ROW(link, 86, 9, NO, 9, IO) \
	ROW(linkat, 265, 303, 37, 330, IO) \
	ROW(symlink, 88, 83, NO, 83, IO) \
	ROW(symlinkat, 266, 304, 36, 331, IO) \
	ROW(unlink, 87, 10, NO, 10, IO) \
	ROW(unlinkat, 263, 301, 35, 328, IO) \
	ROW(rename, 82, 38, NO, 38, IO) \
	ROW(renameat, 264, 302, 38, 329, IO) \
	ROW(renameat2, 316, 353, 276, 382, IO) \
	ROW(mkdir, 83, 39, NO, 39, IO) \
	ROW(mkdirat, 258, 296, 34, 323, IO) \
	ROW(rmdir, 84, 40, NO, 40, IO) \
	ROW(mknod, 133, 14, NO, 14, IO) \
	ROW(mknodat, 259, 297, 33, 324, IO) \
	ROW(chdir, 80, 12, 49, 12, IO) \
	ROW(fchdir, 81, 133, 50, 133, IO) \
	ROW(chroot, 161, 61, 51, 61, IO) \
	ROW(chmod, 90, 15, NO, 15, IO) \
	ROW(fchmod, 91, 94, 52, 94, IO) \
	ROW(fchmodat, 268, 306, 53, 333, IO) \
	ROW(fchmodat2, 452, 452, 452, 452, IO) \
	ROW(chown, 92, 182, NO, 182, IO) \
	ROW(fchown, 93, 95, 55, 95, IO) \
	ROW(lchown, 94, 16, NO, 16, IO) \
	ROW(fchownat, 260, 298, 54, 325, IO) \
	ROW(chown32, NO, 212, NO, 212, IO) \
	ROW(fchown32, NO, 207, NO, 207, IO) \
	ROW(lchown32, NO, 198, NO, 198, IO) \
	ROW(truncate, 76, 92, 45, 92, IO) \
	ROW(ftruncate, 77, 93, 46, 93, IO) \
	ROW(truncate64, NO, 193, NO, 193, IO) \
	ROW(ftruncate64, NO, 194, NO, 194, IO) \
	ROW(fallocate, 285, 324, 47, 352, IO) \
	ROW(utime, 132, 30, NO, NO, IO) \
	ROW(utimes, 235, 271, NO, 269, IO) \
	ROW(futimesat, 261, 299, NO, 326, IO) \
	ROW(utimensat, 280, 320, 88, 348, IO) \
	ROW(utimensat_time64, NO, 412, NO, 412, IO) \
	ROW(setxattr, 188, 226, 5, 226, IO) \
	ROW(lsetxattr, 189, 227, 6, 227, IO) \
	ROW(fsetxattr, 190, 228, 7, 228, IO) \
	ROW(getxattr, 191, 229, 8, 229, IO) \
	ROW(lgetxattr, 192, 230, 9, 230, IO) \
	ROW(fgetxattr, 193, 231, 10, 231, IO) \
	ROW(listxattr, 194, 232, 11, 232, IO) \
	ROW(llistxattr, 195, 233, 12, 233, IO) \
	ROW(flistxattr, 196, 234, 13, 234, IO) \
	ROW(removexattr, 197, 235, 14, 235, IO) \
	ROW(lremovexattr, 198, 236, 15, 236, IO) \
	ROW(fremovexattr, 199, 237, 16, 237, IO) \
	ROW(setxattrat, 463, 463, 463, 463, IO) \
	ROW(getxattrat, 464, 464, 464, 464, IO) \
	ROW(listxattrat, 465, 465, 465, 465, IO) \
	ROW(removexattrat, 466, 466, 466, 466, IO) \
	ROW(file_getattr, 468, 468, 468, 468, IO) \
	ROW(file_setattr, 469, 469, 469, 469, IO) \
	ROW(sync, 162, 36, 81, 36, IO) \
	ROW(syncfs, 306, 344, 267, 373, IO) \
	ROW(sync_file_range, 277, 314, 84, NO, IO) \
	ROW(arm_sync_file_range, NO, NO, NO, 341, IO) \
	ROW(msync, 26, 144, 227, 144, IO) \
	ROW(readahead, 187, 225, 213, 225, IO) \
	ROW(fadvise64, 221, 250, 223, NO, IO) \
	ROW(fadvise64_64, NO, 272, NO, NO, IO) \
	ROW(arm_fadvise64_64, NO, NO, NO, 270, IO) \
	ROW(io_submit, 209, 248, 2, 246, IO) \
	ROW(mmap, 9, 90, 222, NO, IO) \
	ROW(mmap2, NO, 192, NO, 192, IO) \
	ROW(remap_file_pages, 216, 257, 234, 253, IO) \
	ROW(madvise, 28, 219, 233, 220, IO) \
	ROW(process_madvise, 440, 440, 440, 440, IO) \
	ROW(mlock, 149, 150, 228, 150, IO) \
	ROW(mlock2, 325, 376, 284, 390, IO) \
	ROW(mlockall, 151, 152, 230, 152, IO) \
	ROW(process_vm_readv, 310, 347, 270, 376, IO) \
	ROW(process_vm_writev, 311, 348, 271, 377, IO) \
	ROW(mount, 165, 21, 40, 21, IO) \
	ROW(umount, NO, 22, NO, NO, IO) \
	ROW(umount2, 166, 52, 39, 52, IO) \
	ROW(pivot_root, 155, 217, 41, 218, IO) \
	ROW(move_mount, 429, 429, 429, 429, IO) \
	ROW(open_tree, 428, 428, 428, 428, IO) \
	ROW(open_tree_attr, 467, 467, 467, 467, IO) \
	ROW(mount_setattr, 442, 442, 442, 442, IO) \
	ROW(fsconfig, 431, 431, 431, 431, IO) \
	ROW(fsmount, 432, 432, 432, 432, IO) \
	ROW(fspick, 433, 433, 433, 433, IO) \
	ROW(swapon, 167, 87, 224, 87, IO) \
	ROW(swapoff, 168, 115, 225, 115, IO) \
	ROW(quotactl, 179, 131, 60, 131, IO) \
	ROW(quotactl_fd, 443, 443, 443, 443, IO) \
	ROW(acct, 163, 51, 89, 51, IO) \
	ROW(execve, 59, 11, 221, 11, IO) \
	ROW(execveat, 322, 358, 281, 387, IO) \
	ROW(uselib, 134, 86, NO, 86, IO) \
	ROW(finit_module, 313, 350, 273, 379, IO) \
	ROW(kexec_file_load, 320, NO, 294, 401, IO) \
	ROW(name_to_handle_at, 303, 341, 264, 370, IO) \
	ROW(open_by_handle_at, 304, 342, 265, 371, IO) \
	ROW(inotify_add_watch, 254, 292, 27, 317, IO) \
	ROW(fanotify_mark, 301, 339, 263, 368, IO) \
	ROW(mq_open, 240, 277, 180, 274, IO) \
	ROW(mq_unlink, 241, 278, 181, 275, IO) \
	ROW(syslog, 103, 103, 116, 103, IO) \
	ROW(getrandom, 318, 355, 278, 384, IO) \
	ROW(exit, 60, 1, 93, 1, IO) \
	ROW(exit_group, 231, 252, 94, 248, IO) \
	ROW(poll, 7, 168, NO, 168, POLL) \
	ROW(ppoll, 271, 309, 73, 336, POLL) \
	ROW(ppoll_time64, NO, 414, NO, 414, POLL) \
	ROW(select, 23, 82, NO, NO, POLL) \
	ROW(_newselect, NO, 142, NO, 142, POLL) \
	ROW(pselect6, 270, 308, 72, 335, POLL) \
	ROW(pselect6_time64, NO, 413, NO, 413, POLL) \
	ROW(epoll_wait, 232, 256, NO, 252, POLL) \
	ROW(epoll_pwait, 281, 319, 22, 346, POLL) \
	ROW(epoll_pwait2, 441, 441, 441, 441, POLL) \
	ROW(io_uring_enter, 426, 426, 426, 426, RING) \
	ROW(io_getevents, 208, 247, 4, 245, POLL) \
	ROW(io_pgetevents, 333, 385, 292, 399, POLL) \
	ROW(io_pgetevents_time64, NO, 416, NO, 416, POLL) \
	ROW(epoll_wait_old, 215, NO, NO, NO, POLL) \
	ROW(io_uring_register, 427, 427, 427, 427, POLL) \
	ROW(io_destroy, 207, 246, 1, 244, POLL) \
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

/* The numbers that are specific to x32; the others are x86_64's. */
#define LT_X32_TABLE(ROW) \
	ROW(ioctl, 514, FD) \
	ROW(readv, 515, FD) \
	ROW(writev, 516, FD) \
	ROW(recvfrom, 517, NET) \
	ROW(sendmsg, 518, NET) \
	ROW(recvmsg, 519, NET) \
	ROW(execve, 520, IO) \
	ROW(rt_sigtimedwait, 523, SLEEP) \
	ROW(waitid, 529, SLEEP) \
	ROW(vmsplice, 532, FD) \
	ROW(preadv, 534, FD) \
	ROW(pwritev, 535, FD) \
	ROW(recvmmsg, 537, NET) \
	ROW(sendmmsg, 538, NET) \
	ROW(process_vm_readv, 539, IO) \
	ROW(process_vm_writev, 540, IO) \
	ROW(setsockopt, 541, NET) \
	ROW(getsockopt, 542, NET) \
	ROW(io_submit, 544, IO) \
	ROW(execveat, 545, IO) \
	ROW(preadv2, 546, FD) \
	ROW(pwritev2, 547, FD)

/*
 * `other` on purpose: these do not sleep interruptibly, or wait for something that has no kind (another
 * process's module, key, answer or trace). unit_calls checks that every call is listed here or above.
 */
#define LT_CALLS_OTHER \
	"_sysctl add_key adjtimex afs_syscall alarm arch_prctl bdflush bpf break breakpoint brk cacheflush cachestat " \
	"capget capset clock_adjtime clock_adjtime64 clock_getres clock_getres_time64 clock_gettime clock_gettime64 " \
	"clock_settime clock_settime64 create_module delete_module dup epoll_create epoll_create1 epoll_ctl " \
	"epoll_ctl_old eventfd eventfd2 fanotify_init fork fsopen ftime futex_requeue futex_wake get_kernel_syms " \
	"get_mempolicy get_robust_list get_thread_area get_tls getcpu getcwd getegid getegid32 geteuid geteuid32 " \
	"getgid getgid32 getgroups getgroups32 getitimer getpgid getpgrp getpid getpmsg getppid getpriority getresgid " \
	"getresgid32 getresuid getresuid32 getrlimit getrusage getsid gettid gettimeofday getuid getuid32 gtty idle " \
	"init_module inotify_init inotify_init1 inotify_rm_watch io_cancel io_setup io_uring_setup ioperm iopl " \
	"ioprio_get ioprio_set kcmp kexec_load keyctl kill landlock_add_rule landlock_create_ruleset " \
	"landlock_restrict_self listmount listns lock lookup_dcookie lsm_get_self_attr lsm_list_modules " \
	"lsm_set_self_attr map_shadow_stack mbind membarrier memfd_create memfd_secret migrate_pages mincore " \
	"modify_ldt move_pages mprotect mpx mq_getsetattr mq_notify mremap mseal msgctl msgget munlock munlockall " \
	"munmap nfsservctl nice oldolduname olduname pciconfig_iobase pciconfig_read pciconfig_write perf_event_open " \
	"personality pidfd_getfd pidfd_open pidfd_send_signal pipe pipe2 pkey_alloc pkey_free pkey_mprotect prctl " \
	"prlimit64 process_mrelease prof profil ptrace putpmsg query_module reboot request_key rseq rseq_slice_yield " \
	"rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_tgsigqueueinfo " \
	"sched_get_priority_max sched_get_priority_min sched_getaffinity sched_getattr sched_getparam " \
	"sched_getscheduler sched_rr_get_interval sched_rr_get_interval_time64 sched_setaffinity sched_setattr " \
	"sched_setparam sched_setscheduler sched_yield seccomp security semctl semget set_mempolicy " \
	"set_mempolicy_home_node set_robust_list set_thread_area set_tid_address set_tls setdomainname setfsgid " \
	"setfsgid32 setfsuid setfsuid32 setgid setgid32 setgroups setgroups32 sethostname setitimer setns setpgid " \
	"setpriority setregid setregid32 setresgid setresgid32 setresuid setresuid32 setreuid setreuid32 setrlimit " \
	"setsid settimeofday setuid setuid32 sgetmask shmat shmctl shmdt shmget sigaction sigaltstack signal signalfd " \
	"signalfd4 sigpending sigprocmask sigreturn ssetmask statmount stime stty sysfs sysinfo tgkill time " \
	"timer_create timer_delete timer_getoverrun timer_gettime timer_gettime64 timer_settime timer_settime64 " \
	"timerfd_create timerfd_gettime timerfd_gettime64 timerfd_settime timerfd_settime64 times tkill tuxcall " \
	"ugetrlimit ulimit umask uname unshare uprobe uretprobe userfaultfd usr26 usr32 vhangup vm86 vm86old vserver "
/* clang-format on */

/* Numbers that the accounting itself needs: x86_64, i386 and arm64, arm. */
#if defined(__TARGET_ARCH_arm64) || defined(__aarch64__)
#define LT_NR_RT_SIGRETURN 139
#define LT_NR_EXECVE 221
#define LT_NR_EXIT 93
#define LT_NR_EXIT_GROUP 94
#define LT_NR_ACCEPT 202
#define LT_NR_ACCEPT4 242
#define LT_NR_SPLICE 76
#define LT_NR_RT_SIGQUEUEINFO 138
#define LT_NR_RT_TGSIGQUEUEINFO 240
#define LT_NR32_RT_SIGRETURN 173
#define LT_NR32_EXECVE 11
#define LT_NR32_EXIT 1
#define LT_NR32_EXIT_GROUP 248
#define LT_NR32_ACCEPT 285
#define LT_NR32_ACCEPT4 366
#define LT_NR32_SPLICE 340
#define LT_NR32_RT_SIGQUEUEINFO 178
#define LT_NR32_RT_TGSIGQUEUEINFO 363
#else
#define LT_NR_RT_SIGRETURN 15
#define LT_NR_EXECVE 59
#define LT_NR_EXIT 60
#define LT_NR_EXIT_GROUP 231
#define LT_NR_ACCEPT 43
#define LT_NR_ACCEPT4 288
#define LT_NR_SPLICE 275
#define LT_NR_RT_SIGQUEUEINFO 129
#define LT_NR_RT_TGSIGQUEUEINFO 297
#define LT_NR32_RT_SIGRETURN 173
#define LT_NR32_EXECVE 11
#define LT_NR32_EXIT 1
#define LT_NR32_EXIT_GROUP 252
#define LT_NR32_ACCEPT4 364
#define LT_NR32_SPLICE 313
#define LT_NR32_RT_SIGQUEUEINFO 178
#define LT_NR32_RT_TGSIGQUEUEINFO 335
#define LT_NR32_SOCKETCALL 102 /* i386 multiplexer */
#endif
#define LT_NR_PIDFD_SEND_SIGNAL 424 /* of every ABI */

/* exit and exit_group never return: they are counted at enter. */
static inline __attribute__((always_inline)) int lt_call_exits(unsigned int abi, unsigned int nr)
{
	if (abi == LT_ABI_COMPAT)
		return nr == LT_NR32_EXIT || nr == LT_NR32_EXIT_GROUP;
	return nr == LT_NR_EXIT || nr == LT_NR_EXIT_GROUP;
}

#endif
