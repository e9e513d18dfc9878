#include "bench.h"
/* A stack machine with a branch table, running a program that counts primes. */
enum Op { Push, Load, Store, Add, Sub, Mul, Mod, Less, Equal, Jump, JumpIfZero, Call, Return, Dup, Halt };
static i32 stack[256], calls[64];
static i32 execute(const i32 *code, i32 limit) {
  i32 variables[8] = {limit}, *top = stack, *call = calls;
  for (u32 pc = 0;;) {
    switch (code[pc++]) {
      case Push: *top++ = code[pc++]; break;
      case Load: *top++ = variables[code[pc++] & 7]; break;
      case Store: variables[code[pc++] & 7] = *--top; break;
      case Add: top--, top[-1] += *top; break;
      case Sub: top--, top[-1] -= *top; break;
      case Mul: top--, top[-1] *= *top; break;
      case Mod: top--, top[-1] %= *top; break;
      case Less: top--, top[-1] = top[-1] < *top; break;
      case Equal: top--, top[-1] = top[-1] == *top; break;
      case Jump: pc = code[pc]; break;
      case JumpIfZero: pc = *--top ? pc + 1 : code[pc]; break;
      case Call: *call++ = pc + 1, pc = code[pc]; break;
      case Return: pc = *--call; break;
      case Dup: *top = top[-1], top++; break;
      case Halt: return variables[3];
      default: __builtin_trap();
    }
  }
}
/* v0 = limit, v1 = candidate, v2 = divisor, v3 = count, v4 = is it prime? */
static const i32 program[] = {
  /*  0 */ Push, 2, Store, 1,
  /*  4 */ Load, 1, Load, 0, Less, JumpIfZero, 27,
  /* 11 */ Call, 28,
  /* 13 */ Load, 3, Load, 4, Add, Store, 3,
  /* 20 */ Load, 1, Push, 1, Add, Jump, 2,
  /* 27 */ Halt,
  /* 28 */ Push, 2, Store, 2,
  /* 32 */ Load, 1, Load, 2, Dup, Mul, Less, JumpIfZero, 45,
  /* 41 */ Push, 1, Jump, 64,
  /* 45 */ Load, 1, Load, 2, Mod, JumpIfZero, 62,
  /* 52 */ Load, 2, Push, 1, Add, Jump, 30,
  /* 59 */ Halt, Halt, Halt,
  /* 62 */ Push, 0,
  /* 64 */ Store, 4, Return,
};
EXPORT(run) u32 run(u32 rounds) {
  u32 sum = 0;
  for (u32 r = 0; r < rounds; r++) sum += execute(program, 400 + (r & 15));
  return sum;
}
