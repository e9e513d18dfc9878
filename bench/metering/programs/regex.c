#include "bench.h"
/* A backtracking matcher for . [a-z] * + ? | and brackets over lines of a text. */
enum { TEXT = 4096, NODES = 64 };
enum Kind { Char, Any, Range, Split, Jump, Match };
struct Inst { u32 kind; u8 low, high; u32 x, y; };
static struct Inst program[NODES];
static u32 length, steps;
static const u8 *pattern;
static u8 text[TEXT];

static u32 emit(u32 kind, u8 low, u8 high) {
  program[length] = (struct Inst){kind, low, high, length + 1, 0};
  return length++;
}
static void insert(u32 at, u32 kind) {
  for (u32 i = length++; i > at; i--) {
    program[i] = program[i - 1];
    if (program[i].x >= at) program[i].x++;
    if (program[i].y > at) program[i].y++;
  }
  program[at] = (struct Inst){kind, 0, 0, at + 1, 0};
}
static void alternatives(void);
static void atom(void) {
  u8 c = *pattern++;
  if (c == '(') alternatives(), pattern++;
  else if (c == '.') emit(Any, 0, 0);
  else if (c == '[') emit(Range, pattern[0], pattern[2]), pattern += 4;
  else emit(Char, c, c);
}
static void sequence(void) {
  while (*pattern && *pattern != '|' && *pattern != ')') {
    u32 start = length;
    atom();
    if (*pattern == '*') insert(start, Split), program[emit(Jump, 0, 0)].x = start, program[start].y = length, pattern++;
    else if (*pattern == '+') { u32 split = emit(Split, 0, 0); program[split].x = start, program[split].y = length, pattern++; }
    else if (*pattern == '?') insert(start, Split), program[start].y = length, pattern++;
  }
}
static void alternatives(void) {
  u32 start = length;
  sequence();
  if (*pattern != '|') return;
  pattern++;
  insert(start, Split);
  u32 jump = emit(Jump, 0, 0);
  program[start].y = length;
  alternatives();
  program[jump].x = length;
}
static u32 match(u32 pc, const u8 *at) {
  for (;;) {
    const struct Inst *i = &program[pc];
    steps++;
    pc = i->x;
    if (i->kind == Match) return 1;
    if (i->kind == Split) {
      if (match(i->x, at)) return 1;
      pc = i->y;
    } else if (i->kind != Jump) {
      if (i->kind == Any ? *at == 0 || *at == '\n' : *at < i->low || *at > i->high) return 0;
      at++;
    }
  }
}
EXPORT(run) u32 run(u32 rounds) {
  static const char *const patterns[] = {"(ab|cd)*e", "[a-f]+x?[0-9]", "a.*z", "(a|b)?(c|d)+[1-3]"};
  u32 seed = 31, found = 0;
  for (u32 i = 0; i < TEXT - 1; i++) {
    u32 random = next_random(&seed);
    text[i] = random % 41 == 0 ? '\n' : "abcdefxz0123"[random % 12];
  }
  for (u32 r = 0; r < rounds; r++) {
    pattern = (const u8 *)patterns[r & 3], length = 0;
    alternatives();
    emit(Match, 0, 0);
    for (u32 i = 0; i < TEXT - 1; i++) found += match(0, text + i);
  }
  return found + steps;
}
