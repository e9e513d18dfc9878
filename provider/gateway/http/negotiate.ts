/** One entry of an Accept header. */
export interface Accepted {
  type: string;
  parameters: Record<string, string>;
  q: number;
}

const ENTRIES_MAX = 64;

/** The entries of an Accept or Accept-Encoding header, best first; those of equal weight in the order they were sent. */
export function parseAccept(header: string | undefined): Accepted[] {
  if (header === undefined || header === '') return [];
  const entries = header.split(',', ENTRIES_MAX).map((entry) => {
    const [type = '', ...rest] = entry.split(';');
    const parameters: Record<string, string> = {};
    for (const parameter of rest) {
      const at = parameter.indexOf('=');
      if (at > 0) {
        const value = parameter.slice(at + 1).trim();
        parameters[parameter.slice(0, at).trim().toLowerCase()] = value.replace(/^"(.*)"$/, '$1');
      }
    }
    const q = Number(parameters['q'] ?? 1);
    return { type: type.trim().toLowerCase(), parameters, q: Number.isNaN(q) ? 0 : q };
  });
  return entries.filter(({ type, q }) => type !== '' && q > 0).sort((a, b) => b.q - a.q);
}

/** The first of `offered` is what a client without a wish gets. */
export function prefers(accept: string | undefined, offered: readonly string[]): string {
  for (const { type } of parseAccept(accept)) {
    if (type === '*/*') break;
    const found = offered.find(
      (offer) => offer === type || (type.endsWith('/*') && offer.startsWith(type.slice(0, -1))),
    );
    if (found !== undefined) return found;
  }
  return offered[0]!;
}
