export const MAILBOX_PROTOCOL = '/workswap/mailbox/1.0.0';
/** The provider opens it to a recipient that is connected and has something waiting. */
export const NOTIFY_PROTOCOL = '/workswap/mailbox/notify/1.0.0';

/** A message of the largest size and the fields around it. */
export const REQUEST_BYTES_MAX = 272 * 1024;
/** A page of messages: at least one, however large, and the fields around each. */
export const ANSWER_BYTES_MAX = 2 * 1024 * 1024;
export const NOTICE_BYTES_MAX = 1024;

export const STREAMS_PER_PEER_MAX = 8;
export const REQUESTS_UNDER_WAY_MAX = 4_096;
/** Bodies on their way to the disk: of one stream, and of all. */
export const PENDING_BYTES_PER_STREAM_MAX = 16 * 1024 * 1024;
export const PENDING_BYTES_MAX = 128 * 1024 * 1024;
/** Answers that wait for the peer to read; beyond it the stream ends. */
export const UNREAD_BYTES_MAX = 16 * 1024 * 1024;
export const STATUS_IDS_MAX = 1000;
export const ACKNOWLEDGE_MAX = 4_096;
export const PEER_TEXT_MAX = 128;

export const OPEN_TIMEOUT_MS = 10_000;
export const ANSWER_TIMEOUT_MS = 60_000;
/** How long the last answers may take to leave. */
export const CLOSE_TIMEOUT_MS = 5_000;
