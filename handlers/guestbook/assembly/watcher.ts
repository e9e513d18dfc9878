import { Message, send, state } from 'workswap';
import { Entry } from './entries';

/** Who is told of new entries: the peer or service that asked first, until it lets go. */
const WATCHER = 'watcher';

/** A throw refuses the message, and its sender is told why. */
export function changeWatcher(message: Message): void {
  const watcher = state.readText(WATCHER);
  if (watcher !== null && watcher != message.from) throw new Error('somebody else watches this guestbook');
  if (message.text == 'watch') state.writeText(WATCHER, message.from);
  else if (message.text == 'unwatch') state.remove(WATCHER);
  else throw new Error('send "watch" or "unwatch"');
}

export function tellWatcher(entry: Entry): void {
  const watcher = state.readText(WATCHER);
  if (watcher !== null) send(watcher, entry.name + ' wrote: ' + entry.message);
}
