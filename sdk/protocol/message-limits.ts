export const SERVICE_MESSAGE_ID_BYTES = 16;
/** Messages of one update, their bytes and those of one: part of the host ABI. */
export const MESSAGES_PER_UPDATE_MAX = 64;
export const MESSAGE_BODY_BYTES_MAX = 64 * 1024;
export const MESSAGE_BODIES_BYTES_MAX = 256 * 1024;
/** Bytes that a message is charged as written, beside its recipient and its body: about what a provider pays to deliver it. */
export const MESSAGE_PRICED_BYTES = 4 * 1024;
/**
 * Messages that may follow from one that no other message caused. A count of hops would not do: a handler that answers each
 * message with two would make 2^16 of one in 16 hops.
 */
export const FOLLOW_UPS_MAX = 16;
