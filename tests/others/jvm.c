/* What Others.java calls of rsig. */
#include <jni.h>
#include <rsig.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

static JavaVM *machine;
static jclass others;
static jmethodID handled;

JNIEXPORT jint JNICALL JNI_OnLoad(JavaVM *vm, void *reserved) {
    (void)reserved;
    machine = vm;
    return JNI_VERSION_1_8;
}

JNIEXPORT jint JNICALL Java_Others_init(JNIEnv *env, jclass class) {
    others = (jclass)(*env)->NewGlobalRef(env, class);
    handled = (*env)->GetStaticMethodID(env, class, "handled", "(II)V");
    return rsig_init(0);
}

JNIEXPORT jint JNICALL Java_Others_fini(JNIEnv *env, jclass class) {
    (void)env, (void)class;
    return rsig_fini();
}

JNIEXPORT jint JNICALL Java_Others_setMainThread(JNIEnv *env, jclass class) {
    (void)env, (void)class;
    return rsig_set_main_thread();
}

/* The handler is a Java method. What it throws refuses, and arrives at the caller of pump(). */
static int handler(int signum, const rsig_siginfo_t *info, void *arg) {
    JNIEnv *env;
    (void)arg;
    if ((*machine)->GetEnv(machine, (void **)&env, JNI_VERSION_1_8) != JNI_OK) return 2;
    (*env)->CallStaticVoidMethod(env, others, handled, signum, info->pid);
    return (*env)->ExceptionCheck(env);
}

JNIEXPORT jint JNICALL Java_Others_signal(JNIEnv *env, jclass class, jint signum) {
    (void)env, (void)class;
    return rsig_signal(signum, handler, NULL, NULL);
}

JNIEXPORT jint JNICALL Java_Others_pump(JNIEnv *env, jclass class) {
    (void)env, (void)class;
    return rsig_pump();
}

JNIEXPORT jint JNICALL Java_Others_pause(JNIEnv *env, jclass class) {
    (void)env, (void)class;
    return rsig_pause();
}

JNIEXPORT jlong JNICALL Java_Others_openChannel(JNIEnv *env, jclass class, jint signum) {
    rsig_channel_t *channel;
    (void)env, (void)class;
    int result = rsig_channel_open(RSIG_SIGSET(signum), 64, &channel);
    return result < 0 ? result : (jlong)channel;
}

/* The deliveries of a record; 0 where none came in time. */
JNIEXPORT jint JNICALL Java_Others_waitChannel(JNIEnv *env, jclass class, jlong channel,
                                               jdouble timeout) {
    rsig_siginfo_t info;
    (void)env, (void)class;
    int result = rsig_channel_wait((rsig_channel_t *)channel, &info, timeout);
    return result == 1 ? (jint)info.count : result;
}

JNIEXPORT jint JNICALL Java_Others_closeChannel(JNIEnv *env, jclass class, jlong channel) {
    (void)env, (void)class;
    return rsig_channel_close((rsig_channel_t *)channel);
}

JNIEXPORT jint JNICALL Java_Others_send(JNIEnv *env, jclass class, jint signum) {
    (void)env, (void)class;
    return kill(getpid(), signum);
}

/* What the kernel has, as a number to compare. */
JNIEXPORT jlong JNICALL Java_Others_installed(JNIEnv *env, jclass class, jint signum) {
    struct sigaction now;
    (void)env, (void)class;
    return sigaction(signum, NULL, &now) == 0 ? (jlong)now.sa_sigaction : -1;
}

/* --- a party between the machine and rsig, that counts the machine's own faults --- */

static struct sigaction of_machine;
static int faults;

static void count_fault(int signum, siginfo_t *info, void *context) {
    __atomic_add_fetch(&faults, 1, __ATOMIC_RELAXED);
    of_machine.sa_sigaction(signum, info, context);
}

JNIEXPORT jint JNICALL Java_Others_countFaults(JNIEnv *env, jclass class) {
    (void)env, (void)class;
    if (sigaction(SIGSEGV, NULL, &of_machine) < 0) return -1;
    struct sigaction counting = of_machine;
    counting.sa_sigaction = count_fault;
    return sigaction(SIGSEGV, &counting, NULL);
}

JNIEXPORT jint JNICALL Java_Others_faults(JNIEnv *env, jclass class) {
    (void)env, (void)class;
    return __atomic_load_n(&faults, __ATOMIC_RELAXED);
}
