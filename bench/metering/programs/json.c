#include "bench.h"
/* Reads a JSON text into a tree, walks it, and writes it again. */
enum { TEXT = 8192, NODES = 4096 };
enum Kind { Null, Boolean, Number, String, List, Object };
struct Node { u32 kind, length; f64 number; const u8 *text; struct Node *first, *next; const u8 *key; u32 key_length; };
static u8 text[TEXT], written[TEXT * 2];
static struct Node nodes[NODES];
static u32 used, failed;
static const u8 *at;
static u8 *out;

static struct Node *node(u32 kind) {
  if (used == NODES) { failed = 1; used = 0; }
  struct Node *made = &nodes[used++];
  *made = (struct Node){.kind = kind};
  return made;
}
static void blank(void) { while (*at == ' ' || *at == '\n') at++; }
static u32 quoted(const u8 **from) {
  *from = ++at;
  while (*at != '"') {
    if (*at == 0) return failed = 1, 0;
    at += *at == '\\' ? 2 : 1;
  }
  return (u32)(at++ - *from);
}
static f64 number(void) {
  f64 sign = 1, value = 0, scale = 1;
  if (*at == '-') sign = -1, at++;
  for (; *at >= '0' && *at <= '9'; at++) value = value * 10 + (*at - '0');
  if (*at == '.') for (at++; *at >= '0' && *at <= '9'; at++) value += (*at - '0') * (scale /= 10);
  return sign * value;
}
static struct Node *value(u32 depth) {
  blank();
  if (depth > 64) return failed = 1, node(Null);
  switch (*at) {
    case 'n': at += 4; return node(Null);
    case 't': { at += 4; struct Node *yes = node(Boolean); yes->number = 1; return yes; }
    case 'f': at += 5; return node(Boolean);
    case '"': { struct Node *string = node(String); string->length = quoted(&string->text); return string; }
    case '[':
    case '{': {
      u32 object = *at++ == '{';
      struct Node *list = node(object ? Object : List), **last = &list->first;
      for (blank(); *at != (object ? '}' : ']'); blank()) {
        const u8 *key = 0;
        u32 key_length = 0;
        if (object) { key_length = quoted(&key); blank(); at++; }
        struct Node *entry = value(depth + 1);
        entry->key = key, entry->key_length = key_length;
        *last = entry, last = &entry->next, list->length++;
        blank();
        if (*at == ',') at++;
        else if (*at == 0 || failed) return failed = 1, list;
      }
      at++;
      return list;
    }
    default: { struct Node *digits = node(Number); digits->number = number(); return digits; }
  }
}
static void put(const u8 *from, u32 length) { for (u32 i = 0; i < length; i++) *out++ = from[i]; }
static void put_number(f64 x) {
  u8 digits[24];
  u32 count = 0;
  if (x < 0) *out++ = '-', x = -x;
  u32 hundredths = (u32)(x * 100 + 0.5), whole = hundredths / 100;
  do digits[count++] = '0' + whole % 10; while (whole /= 10);
  while (count > 0) *out++ = digits[--count];
  if (hundredths % 100) *out++ = '.', *out++ = '0' + hundredths / 10 % 10, *out++ = '0' + hundredths % 10;
}
static void write(const struct Node *from) {
  switch (from->kind) {
    case Null: put((const u8 *)"null", 4); break;
    case Boolean: if (from->number != 0) put((const u8 *)"true", 4); else put((const u8 *)"false", 5); break;
    case Number: put_number(from->number); break;
    case String: *out++ = '"', put(from->text, from->length), *out++ = '"'; break;
    default:
      *out++ = from->kind == Object ? '{' : '[';
      for (const struct Node *entry = from->first; entry; entry = entry->next) {
        if (from->kind == Object) *out++ = '"', put(entry->key, entry->key_length), *out++ = '"', *out++ = ':';
        write(entry);
        if (entry->next) *out++ = ',';
      }
      *out++ = from->kind == Object ? '}' : ']';
  }
}
static f64 total(const struct Node *from) {
  f64 sum = from->kind == Number ? from->number : from->length;
  for (const struct Node *entry = from->first; entry; entry = entry->next) sum += total(entry);
  return sum;
}
static void compose(void) {
  static const u8 record[] = "{\"id\": 17, \"name\": \"a \\\"quoted\\\" name\", \"tags\": [\"red\", \"green\", null, true], "
                             "\"size\": {\"w\": 12.5, \"h\": -40.25, \"deep\": [[1, 2], [3, [4, 5.75]]]}, \"on\": false}";
  u8 *to = text;
  *to++ = '[';
  for (u32 i = 0; i < 40; i++) {
    if (i) *to++ = ',', *to++ = '\n';
    for (u32 k = 0; record[k]; k++) *to++ = record[k];
  }
  *to++ = ']', *to = 0;
}
EXPORT(run) u32 run(u32 rounds) {
  compose();
  u32 sum = 0;
  for (u32 r = 0; r < rounds; r++) {
    at = text, used = failed = 0, out = written;
    struct Node *root = value(0);
    write(root);
    sum += (u32)(i32)total(root) + (u32)(out - written) + written[r % 64] + failed;
  }
  return sum;
}
