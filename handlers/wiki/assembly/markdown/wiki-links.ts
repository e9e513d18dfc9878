import { escapeHtml } from 'workswap';

/** How links between pages are made; the wiki knows which pages there are. */
export class WikiLinks {
  private known: Map<string, bool> = new Map<string, bool>();

  constructor(
    /** The address of a page from its name, or an empty text for what cannot be one. */
    private addressOf: (name: string) => string,
    private exists: (name: string) => bool,
  ) {}

  /** The link's HTML, marked where there is no such page yet; empty for what can be no page's name. */
  link(name: string, label: string): string {
    const address = this.addressOf(name);
    if (address.length == 0 || label.length == 0) return '';
    if (!this.known.has(name)) this.known.set(name, this.exists(name));
    const text = escapeHtml(label) + '</a>';
    if (this.known.get(name)) return '<a href="' + escapeHtml(address) + '">' + text;
    return '<a href="' + escapeHtml(address) + '" class="missing" title="This page does not exist yet">' + text;
  }
}
