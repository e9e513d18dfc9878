/* A guestbook in a file: POST signs it, GET shows it with all files that there are, DELETE archives it. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BOOK "book/entries.txt"

static void check(int failed, const char *what) {
  if (!failed) return;
  perror(what);
  exit(1);
}

static void sign(void) {
  char message[4096];
  size_t size = fread(message, 1, sizeof message, stdin);
  check(mkdir("book", 0755) != 0 && errno != EEXIST, "mkdir");
  FILE *file = fopen(BOOK, "a");
  check(file == NULL, BOOK);
  check(fprintf(file, "%.*s\n", (int)size, message) < 0, BOOK);
  check(fclose(file) != 0, BOOK);
}

static void show_files(const char *path) {
  struct dirent **entries;
  int count = scandir(*path ? path : "/", &entries, NULL, alphasort);
  check(count < 0, "scandir");
  for (int i = 0; i < count; i++) {
    char full[1024];
    struct stat found;
    snprintf(full, sizeof full, "%s/%s", path, entries[i]->d_name);
    check(stat(full, &found) != 0, full);
    if (S_ISDIR(found.st_mode)) show_files(full);
    else printf("<p>%s: %lld</p>", full, (long long)found.st_size);
  }
}

static void show(void) {
  printf("Content-Type: text/html\n\n<ul>");
  FILE *file = fopen(BOOK, "r");
  check(file == NULL && errno != ENOENT, BOOK);
  int inside = 0;
  for (int c; file != NULL && (c = getc(file)) != EOF;) {
    if (!inside) fputs("<li>", stdout);
    inside = c != '\n';
    if (c == '\n') fputs("</li>", stdout);
    else if (c == '<') fputs("&lt;", stdout);
    else if (c == '&') fputs("&amp;", stdout);
    else putchar(c);
  }
  fputs("</ul>", stdout);
  show_files("");
}

int main(void) {
  const char *method = getenv("REQUEST_METHOD");
  if (strcmp(method, "POST") == 0) {
    sign();
    printf("Status: 303 See Other\nLocation: /\n\n");
  } else if (strcmp(method, "DELETE") == 0) {
    check(mkdir("archive", 0755) != 0 && errno != EEXIST, "mkdir");
    check(rename(BOOK, "archive/entries.txt") != 0, "rename");
    check(rmdir("book") != 0, "rmdir");
    printf("Status: 204 No Content\n\n");
  } else {
    show();
  }
  return 0;
}
