/* Loop is a daemon in C with one thread and one loop, which runs one command at a time. Its
 * handler of SIGCHLD leaves the rest to the loop, which must not miss that:
 *
 *   loop flag   a flag that the loop looks at before it sleeps: a signal in between is missed
 *   loop pipe   a pipe of its own, which ends the sleep
 *   loop ppoll  a flag again, and SIGCHLD is blocked but while ppoll(2) sleeps */
#define _GNU_SOURCE
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PORT = 2280, ROOM = 1 << 16 };

static volatile sig_atomic_t ended;
static int wake[2]; /* of loop pipe */
static sigset_t swapped, *swap;

static int client = -1, output = -1, code = -1; /* of the command that runs */
static pid_t command;
static char kept[ROOM];
static size_t length;

static void child(int sig)
{
	(void)sig;
	ended = 1;
	if (wake[1])
		(void)!write(wake[1], "", 1);
}

static void start(char *script)
{
	int ends[2];
	script[strcspn(script, "\"")] = 0;
	if (pipe2(ends, O_CLOEXEC))
		exit(1);
	if ((command = fork()) == 0) {
		sigset_t none;
		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		dup2(ends[1], 1);
		dup2(ends[1], 2);
		execl("/bin/sh", "sh", "-c", script, (char *)NULL);
		_exit(127);
	}
	close(ends[1]);
	output = ends[0];
	length = 0;
	code = -1;
}

static void answer(const char *text)
{
	dprintf(client, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n%s", text);
	close(client);
	client = -1;
}

static void asked(int listener)
{
	static char request[ROOM];
	size_t n = 0;
	char *body, *script;
	ssize_t got;
	client = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	while (n < ROOM - 1 && (got = read(client, request + n, ROOM - 1 - n)) > 0) {
		request[n += got] = 0;
		body = strstr(request, "\r\n\r\n");
		script = strstr(request, "\"command\":\"");
		if (body && (script || strncmp(request, "POST", 4))) {
			script ? start(script + 11) : answer("{}");
			return;
		}
	}
	close(client);
	client = -1;
}

static void take(void)
{
	int status;
	pid_t pid;
	ended = 0;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		if (pid == command)
			code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static void reads(void)
{
	ssize_t got = read(output, kept + length, ROOM - length - 1);
	if (got > 0) {
		length += got;
		return;
	}
	close(output);
	output = -1;
}

static void finish(void)
{
	static char text[2 * ROOM];
	char *to = text + sprintf(text, "{\"exitCode\":%d,\"result\":\"", code);
	for (size_t i = 0; i < length; i++) {
		if (kept[i] == '\n')
			*to++ = '\\';
		*to++ = kept[i] == '\n' ? 'n' : kept[i];
	}
	strcpy(to, "\"}\n");
	command = 0;
	answer(text);
}

int main(int argc, char **argv)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(PORT)};
	struct sigaction act = {.sa_handler = child};
	int on = 1, listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (argc == 2 && !strcmp(argv[1], "pipe") && pipe2(wake, O_CLOEXEC | O_NONBLOCK))
		return 1;
	sigemptyset(&swapped);
	if (argc == 2 && !strcmp(argv[1], "ppoll")) {
		sigset_t chld;
		sigemptyset(&chld);
		sigaddset(&chld, SIGCHLD);
		sigprocmask(SIG_BLOCK, &chld, NULL);
		swap = &swapped;
	}
	sigaction(SIGCHLD, &act, NULL);
	signal(SIGPIPE, SIG_IGN);
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 128))
		return 1;
	for (;;) {
		struct pollfd files[] = {{command ? -1 : listener, POLLIN, 0}, {output, POLLIN, 0},
			{wake[0] ? wake[0] : -1, POLLIN, 0}};
		char bytes[64];
		if (ended)
			take();
		if (command && code >= 0 && output < 0) {
			finish();
			continue;
		}
		if (ppoll(files, 3, NULL, swap) <= 0)
			continue;
		if (files[2].revents)
			(void)!read(wake[0], bytes, sizeof bytes);
		if (files[1].revents)
			reads();
		else if (files[0].revents)
			asked(listener);
	}
}
