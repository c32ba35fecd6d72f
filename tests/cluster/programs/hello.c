/* The smallest HTTP server that Knative can run, and a prober of what a pod may reach:
 * GET /                 200 and the environment's ANSWER, or "hello", and a line's end
 * GET /first            the same for the environment's FIRST, IP/PORT, tried before anything else
 * GET /reach/IP/PORT    200 "yes\n" if a TCP connection opens within three seconds, else "no\n" */
#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void stop(int number) { (void)number; _exit(0); }

static int reach(const char *ip, int port) {
  int s = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), failed = 1;
  socklen_t size = sizeof failed;
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
  if (inet_pton(AF_INET, ip, &to.sin_addr) != 1) return 0;
  connect(s, (void *)&to, sizeof to);
  struct pollfd wait = {.fd = s, .events = POLLOUT};
  if (poll(&wait, 1, 3000) == 1) getsockopt(s, SOL_SOCKET, SO_ERROR, &failed, &size);
  close(s);
  return !failed;
}

int main(void) {
  int server = socket(AF_INET, SOCK_STREAM, 0), on = 1, port;
  const char *given = getenv("PORT"), *first = getenv("FIRST");
  char first_ip[32];
  int first_port, reached = 0;
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(given ? atoi(given) : 8080)};
  signal(SIGTERM, stop);
  if (first && sscanf(first, "%31[0-9.]/%d", first_ip, &first_port) == 2)
    reached = reach(first_ip, first_port);
  signal(SIGPIPE, SIG_IGN);
  signal(SIGCHLD, SIG_IGN);
  setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(server, (void *)&at, sizeof at) || listen(server, 512)) return 1;
  for (;;) {
    int client = accept(server, 0, 0);
    if (client < 0) continue;
    if (fork()) { close(client); continue; }
    char request[8192] = {0}, answer[512], body[256], ip[32];
    if (read(client, request, sizeof request - 1) <= 0) _exit(0);
    const char *text = getenv("ANSWER") ? getenv("ANSWER") : "hello";
    if (sscanf(request, "GET /reach/%31[0-9.]/%d", ip, &port) == 2)
      text = reach(ip, port) ? "yes" : "no";
    if (!strncmp(request, "GET /first ", 11)) text = reached ? "yes" : "no";
    snprintf(body, sizeof body, "%s\n", text);
    int size = snprintf(answer, sizeof answer,
                        "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n%s",
                        strlen(body), body);
    _exit(write(client, answer, size) != size);
  }
}
