import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;

/** Java's HttpClient as it comes, which asks for HTTP/2 first: URL FILE... Prints status and answer to each file. */
public class Client {
    public static void main(String[] args) throws Exception {
        HttpClient client = HttpClient.newHttpClient();
        for (int n = 1; n < args.length; n++) {
            Path file = Path.of(args[n]);
            // Every other body in chunks, whose length the client doesn't know.
            var body = n % 2 == 1 ? BodyPublishers.ofFile(file) : BodyPublishers.ofInputStream(() -> open(file));
            var request = HttpRequest.newBuilder(URI.create(args[0]))
                .header("Content-Type", "application/json").POST(body).build();
            var response = client.send(request, BodyHandlers.ofString());
            System.out.println(response.statusCode() + " " + response.body());
        }
    }

    private static java.io.InputStream open(Path file) {
        try {
            return Files.newInputStream(file);
        } catch (java.io.IOException error) {
            throw new java.io.UncheckedIOException(error);
        }
    }
}
