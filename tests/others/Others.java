import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import jdk.jfr.consumer.RecordingStream;

/**
 * rsig in a Java virtual machine, which uses SIGSEGV, SIGQUIT, SIGTERM and SIGUSR2 itself. jvm.c is what it calls; its library's
 * path is the property rsig.library. Without arguments it lists its cases, with a name it runs that one.
 */
public class Others {
    static native int init();
    static native int fini();
    static native int setMainThread();
    static native int signal(int signum);
    static native int pump();
    static native int pause();
    static native long openChannel(int signum);
    static native int waitChannel(long channel, double timeout);
    static native int closeChannel(long channel);
    static native int send(int signum);
    static native long installed(int signum);
    static native int countFaults();
    static native int faults();

    static final int SIGQUIT = 3, SIGSEGV = 11, SIGUSR2 = 12, SIGTERM = 15;
    static final int HANDLER = -5;

    interface Case {
        void run() throws Exception;
    }

    static final Map<String, Case> CASES = new LinkedHashMap<>();

    static {
        CASES.put("handlers_in_java", Others::handlersInJava);
        CASES.put("null_checks_beneath_a_handler", Others::nullChecksBeneathHandler);
        CASES.put("null_checks_beneath_a_channel", Others::nullChecksBeneathChannel);
        CASES.put("stack_overflow", Others::stackOverflow);
        CASES.put("thread_dump", () -> inChild("dumps", Others::expectDumps));
        CASES.put("shutdown_hook", () -> inChild("shuts_down", Others::expectShutdown));
        CASES.put("flight_recorder", Others::flightRecorder);
    }

    /** Parts of cases, which run in a virtual machine of their own. */
    static final Map<String, Case> CHILDREN =
        Map.of("dumps", Others::dumps, "shuts_down", Others::shutsDown);

    public static void main(String[] arguments) throws Exception {
        if (arguments.length == 0) {
            CASES.keySet().forEach(System.out::println);
            return;
        }
        System.load(System.getProperty("rsig.library"));
        CASES.getOrDefault(arguments[0], CHILDREN.get(arguments[0])).run();
    }

    static void check(boolean condition, String what) {
        if (!condition) throw new AssertionError(what);
    }

    static void equal(long actual, long expected) {
        check(actual == expected, actual + ", not " + expected);
    }

    static long ok(long result) {
        check(result >= 0, "rsig: " + result);
        return result;
    }

    static final List<Integer> calls = new ArrayList<>();
    static boolean refuse;

    /** The handler that signal() sets. */
    static void handled(int signum, int pid) {
        equal(pid, ProcessHandle.current().pid());
        calls.add(signum);
        if (refuse) throw new IllegalStateException("refused");
    }

    /** On a thread of Java's own that is none of the first's, as the one that init() was called on. */
    static void handlersInJava() throws Exception {
        long usr2 = installed(SIGUSR2), term = installed(SIGTERM);
        ok(init());
        Throwable[] failure = new Throwable[1];
        Thread other = new Thread(() -> {
            try {
                ok(setMainThread());
                handleOnThisThread();
            } catch (Throwable caught) {
                failure[0] = caught;
            }
        });
        other.start();
        other.join();
        if (failure[0] != null) throw new AssertionError(failure[0]);
        ok(fini());
        equal(installed(SIGUSR2), usr2);
        equal(installed(SIGTERM), term);
    }

    static void handleOnThisThread() {
        ok(signal(SIGUSR2));
        ok(signal(SIGTERM));
        ok(send(SIGUSR2));
        ok(pause());
        ok(send(SIGTERM));
        ok(pause());
        check(calls.equals(List.of(SIGUSR2, SIGTERM)), calls.toString());
        refuse = true;
        ok(send(SIGTERM));
        try {
            equal(pause(), HANDLER);
            check(false, "nothing was thrown");
        } catch (IllegalStateException refused) {
            equal(calls.size(), 3);
        }
    }

    static class Box {
        int value = 1;
    }

    /** Compiled, this has no test for null, but a fault. */
    static int valueOf(Box box) {
        return box.value;
    }

    static int nulls(int rounds) {
        Box box = new Box();
        int caught = 0, sum = 0;
        for (int i = 0; i < rounds; i++) {
            try {
                sum += valueOf(i % 100 == 99 ? null : box);
            } catch (NullPointerException expected) {
                caught++;
            }
        }
        equal(sum, rounds - caught);
        return caught;
    }

    static void useNulls() {
        equal(nulls(1_000_000), 10_000);
    }

    static void nullChecksBeneathHandler() {
        long before = installed(SIGSEGV);
        ok(init());
        ok(signal(SIGSEGV));
        check(installed(SIGSEGV) != before, "rsig has not displaced the virtual machine's handler");
        useNulls();
        // With the first fault.
        equal(installed(SIGSEGV), before);
        equal(pump(), 0);
        ok(fini());
        equal(installed(SIGSEGV), before);
        useNulls();
    }

    static void nullChecksBeneathChannel() {
        ok(countFaults());
        long before = installed(SIGSEGV);
        ok(init());
        long channel = ok(openChannel(SIGSEGV));
        check(installed(SIGSEGV) != before, "rsig has not displaced the virtual machine's handler");
        useNulls();
        check(faults() > 0, "nothing has faulted");
        check(installed(SIGSEGV) != before, "rsig has given its place away");
        equal(waitChannel(channel, 0), 0);
        ok(fini());
        equal(installed(SIGSEGV), before);
        useNulls();
    }

    static int recurse(int depth) {
        return recurse(depth + 1) + 1;
    }

    static void overflow() {
        try {
            recurse(0);
            check(false, "it is endless");
        } catch (StackOverflowError expected) {
            // The virtual machine has found its guard page.
        }
    }

    static void stackOverflow() throws Exception {
        ok(init());
        ok(openChannel(SIGSEGV));
        for (int i = 0; i < 5; i++) {
            overflow();
            Thread other = new Thread(Others::overflow);
            other.start();
            other.join();
        }
        ok(fini());
        overflow();
    }

    /** The virtual machine's sampling profiler suspends threads with SIGUSR2; a channel for it sees each. */
    static void flightRecorder() throws Exception {
        ok(init());
        long channel = ok(openChannel(SIGUSR2));
        CountDownLatch sampled = new CountDownLatch(1);
        try (RecordingStream stream = new RecordingStream()) {
            stream.enable("jdk.ExecutionSample").withPeriod(Duration.ofMillis(1));
            stream.onEvent("jdk.ExecutionSample", event -> sampled.countDown());
            stream.startAsync();
            while (sampled.getCount() > 0) nulls(1000);
        }
        check(waitChannel(channel, 0) > 0, "the channel has heard nothing");
        ok(fini());
    }

    // --- with a virtual machine of their own ---

    interface Expectation {
        void check(Process child, BufferedReader output) throws Exception;
    }

    static void inChild(String name, Expectation expectation) throws Exception {
        Path java = Path.of(System.getProperty("java.home"), "bin", "java");
        Process child = new ProcessBuilder(java.toString(), "-Drsig.library=" + System.getProperty("rsig.library"),
            "-cp", System.getProperty("java.class.path"), "Others", name)
            .redirectErrorStream(true).start();
        expectation.check(child, new BufferedReader(new InputStreamReader(child.getInputStream())));
    }

    static void expectLine(BufferedReader output, String expected) throws IOException {
        StringBuilder before = new StringBuilder();
        for (String line; (line = output.readLine()) != null; before.append(line).append('\n'))
            if (line.contains(expected)) return;
        throw new AssertionError("no \"" + expected + "\":\n" + before);
    }

    /** Each dump's last line answers a byte: only then does the next come. */
    static void dumps() throws Exception {
        ok(init());
        long channel = ok(openChannel(SIGQUIT));
        ok(send(SIGQUIT));
        equal(waitChannel(channel, -1), 1);
        System.in.read();
        ok(fini());
        ok(send(SIGQUIT));
        System.in.read();
        System.out.println("done");
    }

    static void expectDumps(Process child, BufferedReader output) throws Exception {
        for (int i = 0; i < 2; i++) {
            expectLine(output, "Full thread dump");
            expectLine(output, "JNI global refs");
            child.getOutputStream().write('x');
            child.getOutputStream().flush();
        }
        expectLine(output, "done");
        equal(child.waitFor(), 0);
    }

    static void shutsDown() throws Exception {
        ok(init());
        long channel = ok(openChannel(SIGTERM));
        CountDownLatch heard = new CountDownLatch(1);
        Thread listener = new Thread(() -> {
            equal(waitChannel(channel, -1), 1);
            heard.countDown();
        });
        listener.start();
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            try {
                heard.await();
                listener.join();
            } catch (InterruptedException nobodys) {
                Runtime.getRuntime().halt(1);
            }
            ok(fini());
            System.out.println("hook and channel");
        }));
        ok(send(SIGTERM));
        new CountDownLatch(1).await();
    }

    static void expectShutdown(Process child, BufferedReader output) throws Exception {
        expectLine(output, "hook and channel");
        equal(child.waitFor(), 128 + SIGTERM);
    }
}
