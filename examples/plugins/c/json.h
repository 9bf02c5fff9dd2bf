/* A small JSON reader: no allocation, walks the text. Enough for a config that has passed its schema. */
#pragma once
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
typedef struct { const char *p, *end; } js;                      /* a value: text from p to end */
static const char *js_ws(const char *p, const char *e) { while (p < e && (*p == ' ' || *p == '\n' || *p == '\t' || *p == '\r')) p++; return p; }
static const char *js_str_end(const char *p, const char *e) { for (p++; p < e; p++) { if (*p == '\\') p++; else if (*p == '"') return p + 1; } return NULL; }
static const char *js_skip(const char *p, const char *e) {        /* returns the byte after the value at p, NULL if malformed */
  p = js_ws(p, e);
  if (p >= e) return NULL;
  if (*p == '"') return js_str_end(p, e);
  if (*p == '{' || *p == '[') {
    char close = *p == '{' ? '}' : ']'; bool obj = *p == '{';
    p = js_ws(p + 1, e);
    if (p < e && *p == close) return p + 1;
    for (;;) {
      if (obj) { p = js_ws(p, e); if (p >= e || *p != '"' || !(p = js_str_end(p, e))) return NULL; p = js_ws(p, e); if (p >= e || *p++ != ':') return NULL; }
      if (!(p = js_skip(p, e))) return NULL;
      p = js_ws(p, e);
      if (p >= e) return NULL;
      if (*p == close) return p + 1;
      if (*p++ != ',') return NULL;
    }
  }
  const char *s = p;
  while (p < e && (strchr("+-.0123456789", *p) || (*p >= 'a' && *p <= 'z') || *p == 'E')) p++;
  return p > s ? p : NULL;
}
static bool js_root(const char *s, size_t n, js *out) { const char *e = s + n, *q = js_skip(s, e); if (!q || js_ws(q, e) != e) return false; out->p = js_ws(s, e); out->end = q; return true; }
typedef struct { const char *p, *end; bool obj; } js_it;
static js_it js_iter(js v) { js_it i = { v.p + 1, v.end, v.p < v.end && *v.p == '{' }; if (v.p >= v.end || (*v.p != '{' && *v.p != '[')) i.p = i.end; return i; }
static bool js_next(js_it *i, js *key, js *val) {
  const char *p = js_ws(i->p, i->end);
  if (p < i->end && *p == ',') p = js_ws(p + 1, i->end);
  if (p >= i->end || *p == '}' || *p == ']') return false;
  if (i->obj) { const char *k = p; p = js_str_end(p, i->end); key->p = k + 1; key->end = p - 1; p = js_ws(p, i->end) + 1; p = js_ws(p, i->end); }
  val->p = p; val->end = js_skip(p, i->end); i->p = val->end; return true;
}
static bool js_is(js k, const char *s) { size_t n = strlen(s); return (size_t)(k.end - k.p) == n && !memcmp(k.p, s, n); }
static bool js_get(js o, const char *key, js *out) { js_it i = js_iter(o); js k, v; while (js_next(&i, &k, &v)) if (i.obj && js_is(k, key)) { *out = v; return true; } return false; }
static char *js_dup(js v) {                                        /* string value -> malloc'd C string (simple escapes; \uXXXX as UTF-8) */
  const char *p = v.p, *e = v.end; if (p < e && *p == '"') { p++; e--; }
  char *o = malloc(e - p + 1), *w = o;
  while (p < e) {
    if (*p != '\\') { *w++ = *p++; continue; }
    p++; char c = *p++;
    if (c == 'n') *w++ = '\n'; else if (c == 't') *w++ = '\t'; else if (c == 'r') *w++ = '\r';
    else if (c == 'u' && e - p >= 4) { char h[5] = { p[0], p[1], p[2], p[3], 0 }; unsigned u = strtoul(h, NULL, 16); p += 4;
      if (u < 0x80) *w++ = u; else if (u < 0x800) { *w++ = 0xC0 | u >> 6; *w++ = 0x80 | (u & 63); } else { *w++ = 0xE0 | u >> 12; *w++ = 0x80 | (u >> 6 & 63); *w++ = 0x80 | (u & 63); } }
    else *w++ = c;
  }
  *w = 0; return o;
}
