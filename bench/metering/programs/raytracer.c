#include "bench.h"
/* Spheres over a chequered floor, two reflections deep, one light. */
typedef struct { f64 x, y, z; } V;
static V add(V a, V b) { return (V){a.x + b.x, a.y + b.y, a.z + b.z}; }
static V sub(V a, V b) { return (V){a.x - b.x, a.y - b.y, a.z - b.z}; }
static V scale(V a, f64 s) { return (V){a.x * s, a.y * s, a.z * s}; }
static f64 dot(V a, V b) { return a.x * b.x + a.y * b.y + a.z * b.z; }
static V unit(V a) { return scale(a, 1 / __builtin_sqrt(dot(a, a))); }
struct Sphere { V center; f64 radius, shine; V color; };
static struct Sphere spheres[] = {
  {{0, 1, 6}, 1, 0.4, {0.9, 0.2, 0.2}}, {{2, 0.7, 5}, 0.7, 0.2, {0.2, 0.9, 0.3}},
  {{-1.8, 0.8, 5}, 0.8, 0.6, {0.3, 0.3, 0.9}}, {{0.5, 0.3, 3.5}, 0.3, 0.1, {0.9, 0.9, 0.2}},
};
enum { COUNT = sizeof spheres / sizeof *spheres, SIZE = 32 };
static f64 hit(const struct Sphere *s, V from, V along) {
  V to = sub(s->center, from);
  f64 b = dot(to, along), d = b * b - dot(to, to) + s->radius * s->radius;
  if (d < 0) return 1e9;
  f64 root = __builtin_sqrt(d), near = b - root, far = b + root;
  return near > 1e-4 ? near : far > 1e-4 ? far : 1e9;
}
static V trace(V from, V along, u32 depth) {
  f64 nearest = along.y < -1e-4 ? -from.y / along.y : 1e9;
  const struct Sphere *found = 0;
  for (u32 i = 0; i < COUNT; i++) {
    f64 t = hit(&spheres[i], from, along);
    if (t < nearest) nearest = t, found = &spheres[i];
  }
  if (nearest > 1e8) return (V){0.4, 0.6, 0.9 - 0.3 * along.y};
  V at = add(from, scale(along, nearest)), normal = {0, 1, 0}, color;
  f64 shine = 0.1;
  if (found) normal = unit(sub(at, found->center)), color = found->color, shine = found->shine;
  else color = ((i32)__builtin_floor(at.x) + (i32)__builtin_floor(at.z)) & 1 ? (V){0.9, 0.9, 0.9} : (V){0.2, 0.2, 0.2};
  V light = unit(sub((V){4, 6, -2}, at));
  f64 bright = dot(normal, light);
  for (u32 i = 0; i < COUNT && bright > 0; i++) if (hit(&spheres[i], at, light) < 1e8) bright = 0;
  V result = scale(color, 0.2 + 0.8 * (bright > 0 ? bright : 0));
  if (depth == 0) return result;
  V mirror = sub(along, scale(normal, 2 * dot(normal, along)));
  return add(scale(result, 1 - shine), scale(trace(at, mirror, depth - 1), shine));
}
EXPORT(run) u32 run(u32 rounds) {
  f64 sum = 0;
  for (u32 r = 0; r < rounds; r++) {
    spheres[3].center.x = (r & 15) * 0.1 - 0.8;
    for (u32 y = 0; y < SIZE; y++)
      for (u32 x = 0; x < SIZE; x++) {
        V color = trace((V){0, 1.2, 0}, unit((V){x / 16.0 - 1, 1 - y / 16.0, 1.4}), 2);
        sum += color.x + 2 * color.y + 3 * color.z;
      }
  }
  return (u32)(i64)(sum * 1000);
}
