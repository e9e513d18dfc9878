import {
  FOLLOW_UPS_MAX,
  MESSAGE_BODIES_BYTES_MAX,
  MESSAGE_BODY_BYTES_MAX,
  MESSAGE_PRICED_BYTES,
  MESSAGES_PER_UPDATE_MAX,
} from '../../../sdk/protocol/message-limits.ts';
import type { Outgoing } from '../../../sdk/protocol/message.ts';
import { recipientKind } from '../../../sdk/protocol/recipient.ts';
import { JobEnd } from '../errors.ts';

/** The messages that a job sends. They stay here until the job has ended well, and leave with its commit. */
export class Sent {
  readonly #isAllowed: boolean;
  readonly #followUps: number | undefined;
  readonly #messages: Outgoing[] = [];
  #bodyBytes = 0;
  /** What the messages are charged for, as written bytes. */
  pricedBytes = 0;

  /** @param followUps of the message that the job takes; undefined when it takes none */
  constructor(isAllowed: boolean, followUps: number | undefined) {
    this.#isAllowed = isAllowed;
    this.#followUps = followUps;
  }

  get messages(): Outgoing[] | undefined {
    return this.#messages.length === 0 ? undefined : this.#messages;
  }

  /** What a message will be charged for. @throws JobEnd READ_ONLY, SEND_LIMIT, INVALID_RECIPIENT */
  check(to: string, bodyBytes: number): number {
    if (!this.#isAllowed) {
      throw new JobEnd(
        'READ_ONLY',
        'The handler sends a message in a query, or belongs to no service. Only updates may.',
      );
    }
    const most = this.#followUps ?? MESSAGES_PER_UPDATE_MAX;
    if (this.#messages.length >= most) {
      throw new JobEnd(
        'SEND_LIMIT',
        this.#followUps === undefined
          ? `The handler sends more than ${MESSAGES_PER_UPDATE_MAX} messages in one update.`
          : `The handler sends more than the ${most} messages that may still follow from the one it takes; from every first message ${FOLLOW_UPS_MAX} may.`,
      );
    }
    if (bodyBytes > MESSAGE_BODY_BYTES_MAX || this.#bodyBytes + bodyBytes > MESSAGE_BODIES_BYTES_MAX) {
      throw new JobEnd(
        'SEND_LIMIT',
        `The handler sends ${bodyBytes} bytes in a message, ${this.#bodyBytes + bodyBytes} in all; at most ${MESSAGE_BODY_BYTES_MAX} and ${MESSAGE_BODIES_BYTES_MAX} are allowed.`,
      );
    }
    if (recipientKind(to) === undefined) {
      throw new JobEnd(
        'INVALID_RECIPIENT',
        `The handler sends to "${to.slice(0, 64)}", which is neither a service's name (k51...) nor an Ed25519 peer id.`,
      );
    }
    return MESSAGE_PRICED_BYTES + to.length + bodyBytes;
  }

  /** `body` is kept. */
  add(to: string, body: Uint8Array, pricedBytes: number): void {
    this.#messages.push({ to, body });
    this.#bodyBytes += body.length;
    this.pricedBytes += pricedBytes;
  }
}
