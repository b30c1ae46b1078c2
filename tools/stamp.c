// SPDX-License-Identifier: GPL-2.0-only
/* The command of a container whose start is measured: writes what time it is, at once. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct timespec now;
	char text[32];
	int fd;

	clock_gettime(CLOCK_MONOTONIC, &now);
	snprintf(text, sizeof(text), "%lld\n", now.tv_sec * 1000000000LL + now.tv_nsec);
	fd = argc > 1 ? open(argv[1], O_WRONLY | O_CREAT | O_EXCL, 0644) : STDOUT_FILENO;
	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text)) {
		perror(argc > 1 ? argv[1] : "stdout");
		return 1;
	}
	return 0;
}
