/*
 * The process that holds a pod's namespaces: it waits, reaps the children that fall to it, and ends when told to.
 * Linked statically, so that its image is this file alone. VERSION comes from the build.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef VERSION
#define VERSION "unknown"
#endif

static void leave(int number) {
  (void)number;
  _exit(0);
}

static void reap(int number) {
  (void)number;
  while (waitpid(-1, NULL, WNOHANG) > 0) {
  }
}

static int on(int number, void (*handler)(int), int flags) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = handler;
  action.sa_flags = flags;
  return sigaction(number, &action, NULL);
}

int main(int count, char **words) {
  if (count > 1 && strcmp(words[1], "-v") == 0) {
    puts("pause " VERSION);
    return 0;
  }
  if (on(SIGINT, leave, 0) < 0 || on(SIGTERM, leave, 0) < 0 || on(SIGCHLD, reap, SA_NOCLDSTOP) < 0) {
    perror("pause: sigaction");
    return 1;
  }
  for (;;) {
    pause();
  }
}
