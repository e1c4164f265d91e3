/* Debian's libunwind.a was compiled for glibc. What it takes from there and Bionic calls otherwise or lacks: */
#pragma GCC visibility push(hidden)

__attribute__((visibility("default"))) extern int *__errno(void);
__attribute__((visibility("default"), noreturn)) extern void abort(void);

int *__errno_location(void) { return __errno(); }

void __assert_fail(const char *condition, const char *file, unsigned line, const char *function) {
    (void)condition, (void)file, (void)line, (void)function;
    abort();
}

/* It only ever prints what a debugger of the unwinder itself would ask for. */
int __fprintf_chk(void *file, int flag, const char *format, ...) {
    (void)file, (void)flag, (void)format;
    return 0;
}
