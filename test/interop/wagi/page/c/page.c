/* A page that greets whoever asks, as any CGI program would. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

int main(void) {
  char body[256];
  if (strcmp(getenv("PATH_INFO"), "/fail") == 0) {
    fputs("asked to fail\n", stderr);
    return 3;
  }
  size_t size = fread(body, 1, sizeof body, stdin);
  printf("Content-Type: text/html\r\nStatus: 201 Created\r\n\r\n");
  printf("<p>%s %s?%s</p>", getenv("REQUEST_METHOD"), getenv("PATH_INFO"), getenv("QUERY_STRING"));
  printf("<p>%.*s, %lld</p>", (int)size, body, (long long)time(NULL));
  return 0;
}
