import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

/**
 * The checks of a client with java.net.http.WebSocket.
 *
 * <p>java Client.java URL RECORDED_URL
 */
public class Client {
    /** A check: the path of the URL, and what is done there. */
    record Check(String path, Act act) {}

    interface Act {
        void on(Connection c) throws Exception;
    }

    static final Map<String, Check> CHECKS = new LinkedHashMap<>();

    static {
        CHECKS.put("text", new Check("/echo", c -> {
            c.ws.sendText("Grüße, 世界 🌍", true).join();
            c.receive(1);
        }));
        CHECKS.put("binary", new Check("/echo", c -> {
            c.ws.sendBinary(series(256, 256), true).join();
            c.receive(1);
        }));
        CHECKS.put("empty", new Check("/echo", c -> {
            c.ws.sendText("", true).join();
            c.ws.sendBinary(ByteBuffer.allocate(0), true).join();
            c.receive(2);
        }));
        CHECKS.put("1 MiB", new Check("/echo", c -> {
            c.ws.sendBinary(series(1 << 20, 251), true).join();
            c.receive(1);
        }));
        CHECKS.put("fragments from Tandem", new Check("/fragments", c -> c.receive(1)));
        CHECKS.put("fragments from the peer", new Check("/echo?fragments", c -> {
            c.ws.sendText("frag", false).join();
            c.ws.sendText("men", false).join();
            c.ws.sendText("ted", true).join();
            c.receive(1);
        }));
        CHECKS.put("ping from Tandem", new Check("/ping", c -> c.receive(1)));
        CHECKS.put("ping from the peer", new Check("/echo", c -> {
            c.ws.sendPing(bytes("from the peer")).join();
            c.await("pong");
        }));
        CHECKS.put("pong from Tandem", new Check("/pong", c -> c.receive(1)));
        CHECKS.put("pong from the peer", new Check("/echo?pong", c -> {
            c.ws.sendPong(bytes("heartbeat")).join();
            c.ws.sendText("still here", true).join();
            c.receive(1);
        }));
        CHECKS.put("close from Tandem", new Check("/close", c -> c.await("close")));
        CHECKS.put("close from the peer", new Check("/watch", c -> c.close(4002, "the peer has finished ✓")));
    }

    /** Those that are recorded on the wire, which takes another address. */
    static final Set<String> RECORDED = Set.of("fragments from Tandem", "fragments from the peer",
            "pong from Tandem", "pong from the peer");

    /** A connection that notes what comes. */
    static class Connection implements WebSocket.Listener {
        WebSocket ws;
        boolean closed;
        final List<String> messages = new ArrayList<>(), pings = new ArrayList<>(), pongs = new ArrayList<>();
        int code;
        String reason;

        // What came, by name, for the thread that performs the check.
        private final BlockingQueue<String> events = new LinkedBlockingQueue<>();
        private final StringBuilder text = new StringBuilder();
        private final java.io.ByteArrayOutputStream binary = new java.io.ByteArrayOutputStream();

        @Override
        public CompletionStage<?> onText(WebSocket ws, CharSequence part, boolean last) {
            text.append(part);
            if (last) {
                message("text", text.toString().getBytes(StandardCharsets.UTF_8));
                text.setLength(0);
            }
            ws.request(1);
            return null;
        }

        @Override
        public CompletionStage<?> onBinary(WebSocket ws, ByteBuffer part, boolean last) {
            byte[] b = new byte[part.remaining()];
            part.get(b);
            binary.writeBytes(b);
            if (last) {
                message("binary", binary.toByteArray());
                binary.reset();
            }
            ws.request(1);
            return null;
        }

        private void message(String type, byte[] data) {
            messages.add(String.format("{\"type\": \"%s\", \"size\": %d, \"sha256\": \"%s\"}",
                    type, data.length, sha256(data)));
            events.add("message");
        }

        @Override
        public CompletionStage<?> onPing(WebSocket ws, ByteBuffer payload) {
            pings.add(quote(StandardCharsets.UTF_8.decode(payload).toString()));
            ws.request(1);
            return null; // the library answers it
        }

        @Override
        public CompletionStage<?> onPong(WebSocket ws, ByteBuffer payload) {
            pongs.add(quote(StandardCharsets.UTF_8.decode(payload).toString()));
            events.add("pong");
            ws.request(1);
            return null;
        }

        @Override
        public CompletionStage<?> onClose(WebSocket ws, int code, String reason) {
            this.code = code;
            this.reason = reason;
            events.add("close");
            return null; // the library answers it
        }

        @Override
        public void onError(WebSocket ws, Throwable error) {
            events.add(error.toString());
        }

        /** Waits for what is to come next, apart from pongs. */
        void await(String event) throws Exception {
            String came;
            do {
                came = events.poll(30, TimeUnit.SECONDS);
            } while ("pong".equals(came) && !came.equals(event));
            if (!event.equals(came)) {
                throw new Exception("waited for a " + event + ", and got: " + came);
            }
            closed = event.equals("close");
        }

        void receive(int count) throws Exception {
            for (int i = 0; i < count; i++) {
                await("message");
            }
        }

        void close(int code, String reason) throws Exception {
            ws.sendClose(code, reason).join();
            await("close");
        }

        String facts() {
            return String.format("\"messages\": %s, \"pings\": %s, \"pongs\": %s, \"code\": %d, \"reason\": %s",
                    messages, pings, pongs, code, quote(reason));
        }
    }

    static ByteBuffer bytes(String s) {
        return ByteBuffer.wrap(s.getBytes(StandardCharsets.UTF_8));
    }

    /** Counts up and starts anew after period. */
    static ByteBuffer series(int size, int period) {
        byte[] b = new byte[size];
        for (int i = 0; i < size; i++) {
            b[i] = (byte) (i % period);
        }
        return ByteBuffer.wrap(b);
    }

    static String sha256(byte[] data) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(data));
        } catch (java.security.NoSuchAlgorithmException e) {
            throw new AssertionError(e);
        }
    }

    /** Writes a string as JSON does, in ASCII. */
    static String quote(String s) {
        return s.chars().mapToObj(c -> c < ' ' || c > '~' || c == '"' || c == '\\'
                ? String.format("\\u%04x", c) : String.valueOf((char) c))
                .collect(Collectors.joining("", "\"", "\""));
    }

    static String run(HttpClient client, String name, String url, Act act) {
        Connection c = new Connection();
        try {
            c.ws = client.newWebSocketBuilder().buildAsync(URI.create(url), c).join();
            act.on(c);
            if (!c.closed) {
                c.close(1000, "");
            }
            return String.format("{\"check\": %s, %s}", quote(name), c.facts());
        } catch (Exception e) {
            return String.format("{\"check\": %s, \"error\": %s}", quote(name), quote(e.toString()));
        }
    }

    public static void main(String[] args) {
        System.out.printf("{\"version\": \"java.net.http.WebSocket, Java %s\"}%n", System.getProperty("java.version"));
        HttpClient client = HttpClient.newHttpClient();
        CHECKS.forEach((name, check) -> {
            String base = RECORDED.contains(name) ? args[1] : args[0];
            System.out.println(run(client, name, base + check.path(), check.act()));
        });
    }
}
