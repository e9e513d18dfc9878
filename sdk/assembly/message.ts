import { allocate } from './bytes';
import { hostSend } from './host';
import { Request } from './request';
import { utf8LengthMax, utf8Write } from './utf8';

/** A message that came to the service: what `deliver` is given. */
export class Message {
  constructor(private request: Request) {}

  /** The service (`k51...`) or the peer that sent it; the provider has checked it. */
  get from(): string {
    return this.request.headers.get('from');
  }

  /** Names the message among those of its sender: 32 hexadecimal digits. */
  get id(): string {
    return this.request.headers.get('message-id');
  }

  /** The time of the update that sent it, milliseconds since 1970. `Date.now()` is the time of now. */
  get timeMs(): i64 {
    return <i64>parseInt(this.request.headers.get('message-time'));
  }

  /** How many messages may still follow from this one, altogether: each that is sent counts. */
  get followUps(): i32 {
    return <i32>parseInt(this.request.headers.get('follow-ups'));
  }

  /** A view on the input, not a copy. */
  get body(): Uint8Array {
    return this.request.body;
  }

  get text(): string {
    return this.request.text;
  }
}

/** Sends a message when this update is committed: to a peer's mailbox by its peer id, or to a service by its name. */
export function send(to: string, text: string): void {
  const bytes = changetype<usize>(allocate(utf8LengthMax(text)));
  sendRange(to, bytes, <i32>(utf8Write(text, bytes) - bytes));
}

export function sendBytes(to: string, body: Uint8Array): void {
  sendRange(to, body.dataStart, body.byteLength);
}

function sendRange(to: string, body: usize, length: i32): void {
  const recipient = changetype<usize>(allocate(utf8LengthMax(to)));
  hostSend(recipient, <i32>(utf8Write(to, recipient) - recipient), body, length);
}
