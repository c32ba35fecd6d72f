/* Stands in for the runtime where a test wants a start to go wrong in a certain way. The name of the
 * model in KUBESERVE_REVISIONS says how ("model": "exit-65-digest"), everything else serves:
 * exit-N[-WORD]  writes a line for WORD and ends with N
 * oom            takes memory until the kernel ends it
 * deaf           never listens, so it is never ready
 * Installed as python3, so that the container's command is the engine's own. */
#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const char *const WORDS[][2] = {
    {"digest", "cannot serve: iris-00001: sha256 is 00ff, 11ee was deployed"},
    {"plan", "cannot serve: iris-00001: tensor 3 ends behind the file"},
    {"denied", "cannot fetch tenants/acme/11ee: 403 AccessDenied"},
    {"gone", "cannot fetch tenants/acme/11ee: 404 NoSuchKey"},
    {"error", "ValueError: password=hunter2hunter2 is no number"},
};

static void stop(int number) { (void)number; _exit(0); }

static void act(const char *how) {
  int code;
  if (sscanf(how, "exit-%d", &code) == 1) {
    for (unsigned i = 0; i < sizeof WORDS / sizeof *WORDS; i++) {
      const char *found = strstr(how, WORDS[i][0]);
      if (found && found < strchr(how, '"')) fprintf(stderr, "%s\n", WORDS[i][1]);
    }
    exit(code);
  }
  if (!strncmp(how, "oom\"", 4))
    for (;;) memset(malloc(1 << 20), 1, 1 << 20);
  if (!strncmp(how, "deaf\"", 5))
    for (;;) pause();
}

int main(void) {
  const char *given = getenv("PORT"), *model = strstr(getenv("KUBESERVE_REVISIONS"), "\"model\": \"");
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(given ? atoi(given) : 8080)};
  int server = socket(AF_INET, SOCK_STREAM, 0), on = 1;
  const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nok\n";
  signal(SIGTERM, stop);
  if (model) act(model + strlen("\"model\": \""));
  setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(server, (void *)&at, sizeof at) || listen(server, 64)) return 69;
  for (;;) {
    char request[4096];
    int client = accept(server, 0, 0);
    if (client < 0) continue;
    if (read(client, request, sizeof request) > 0 && write(client, answer, sizeof answer - 1) < 0)
      perror("write");
    close(client);
  }
}
