import type { Codec, DecodeOptions } from 'protons-runtime';
import type { Uint8ArrayList } from 'uint8arraylist';
export declare enum WantType {
    WantBlock = "WantBlock",
    WantHave = "WantHave"
}
export declare namespace WantType {
    const codec: () => Codec<WantType>;
}
export interface WantlistEntry {
    cid: Uint8Array<ArrayBuffer>;
    priority: number;
    cancel: boolean;
    wantType: WantType;
    sendDontHave: boolean;
}
export declare namespace WantlistEntry {
    const codec: () => Codec<WantlistEntry>;
    interface WantlistEntryCidFieldEvent {
        field: '$.cid';
        value: Uint8Array<ArrayBuffer>;
    }
    interface WantlistEntryPriorityFieldEvent {
        field: '$.priority';
        value: number;
    }
    interface WantlistEntryCancelFieldEvent {
        field: '$.cancel';
        value: boolean;
    }
    interface WantlistEntryWantTypeFieldEvent {
        field: '$.wantType';
        value: WantType;
    }
    interface WantlistEntrySendDontHaveFieldEvent {
        field: '$.sendDontHave';
        value: boolean;
    }
    function encode(obj: Partial<WantlistEntry>): Uint8Array<ArrayBuffer>;
    function decode(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<WantlistEntry>): WantlistEntry;
    function stream(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<WantlistEntry>): Generator<WantlistEntryCidFieldEvent | WantlistEntryPriorityFieldEvent | WantlistEntryCancelFieldEvent | WantlistEntryWantTypeFieldEvent | WantlistEntrySendDontHaveFieldEvent>;
}
export interface Wantlist {
    entries: WantlistEntry[];
    full: boolean;
}
export declare namespace Wantlist {
    const codec: () => Codec<Wantlist>;
    interface WantlistEntriesCidFieldEvent {
        field: '$.entries[].cid';
        value: Uint8Array<ArrayBuffer>;
        index: number;
    }
    interface WantlistEntriesPriorityFieldEvent {
        field: '$.entries[].priority';
        value: number;
        index: number;
    }
    interface WantlistEntriesCancelFieldEvent {
        field: '$.entries[].cancel';
        value: boolean;
        index: number;
    }
    interface WantlistEntriesWantTypeFieldEvent {
        field: '$.entries[].wantType';
        value: WantType;
        index: number;
    }
    interface WantlistEntriesSendDontHaveFieldEvent {
        field: '$.entries[].sendDontHave';
        value: boolean;
        index: number;
    }
    interface WantlistFullFieldEvent {
        field: '$.full';
        value: boolean;
    }
    function encode(obj: Partial<Wantlist>): Uint8Array<ArrayBuffer>;
    function decode(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Wantlist>): Wantlist;
    function stream(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Wantlist>): Generator<WantlistEntriesCidFieldEvent | WantlistEntriesPriorityFieldEvent | WantlistEntriesCancelFieldEvent | WantlistEntriesWantTypeFieldEvent | WantlistEntriesSendDontHaveFieldEvent | WantlistFullFieldEvent>;
}
export interface Block {
    prefix: Uint8Array<ArrayBuffer>;
    data: Uint8Array<ArrayBuffer>;
}
export declare namespace Block {
    const codec: () => Codec<Block>;
    interface BlockPrefixFieldEvent {
        field: '$.prefix';
        value: Uint8Array<ArrayBuffer>;
    }
    interface BlockDataFieldEvent {
        field: '$.data';
        value: Uint8Array<ArrayBuffer>;
    }
    function encode(obj: Partial<Block>): Uint8Array<ArrayBuffer>;
    function decode(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Block>): Block;
    function stream(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Block>): Generator<BlockPrefixFieldEvent | BlockDataFieldEvent>;
}
export declare enum BlockPresenceType {
    HaveBlock = "HaveBlock",
    DoNotHaveBlock = "DoNotHaveBlock"
}
export declare namespace BlockPresenceType {
    const codec: () => Codec<BlockPresenceType>;
}
export interface BlockPresence {
    cid: Uint8Array<ArrayBuffer>;
    type: BlockPresenceType;
}
export declare namespace BlockPresence {
    const codec: () => Codec<BlockPresence>;
    interface BlockPresenceCidFieldEvent {
        field: '$.cid';
        value: Uint8Array<ArrayBuffer>;
    }
    interface BlockPresenceTypeFieldEvent {
        field: '$.type';
        value: BlockPresenceType;
    }
    function encode(obj: Partial<BlockPresence>): Uint8Array<ArrayBuffer>;
    function decode(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<BlockPresence>): BlockPresence;
    function stream(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<BlockPresence>): Generator<BlockPresenceCidFieldEvent | BlockPresenceTypeFieldEvent>;
}
export interface BitswapMessage {
    wantlist?: Wantlist;
    rawBlocks: Uint8Array<ArrayBuffer>[];
    blocks: Block[];
    blockPresences: BlockPresence[];
    pendingBytes: number;
}
export declare namespace BitswapMessage {
    const codec: () => Codec<BitswapMessage>;
    interface BitswapMessageWantlistEntriesCidFieldEvent {
        field: '$.wantlist.entries[].cid';
        value: Uint8Array<ArrayBuffer>;
        index: number;
    }
    interface BitswapMessageWantlistEntriesPriorityFieldEvent {
        field: '$.wantlist.entries[].priority';
        value: number;
        index: number;
    }
    interface BitswapMessageWantlistEntriesCancelFieldEvent {
        field: '$.wantlist.entries[].cancel';
        value: boolean;
        index: number;
    }
    interface BitswapMessageWantlistEntriesWantTypeFieldEvent {
        field: '$.wantlist.entries[].wantType';
        value: WantType;
        index: number;
    }
    interface BitswapMessageWantlistEntriesSendDontHaveFieldEvent {
        field: '$.wantlist.entries[].sendDontHave';
        value: boolean;
        index: number;
    }
    interface BitswapMessageWantlistFullFieldEvent {
        field: '$.wantlist.full';
        value: boolean;
    }
    interface BitswapMessageRawBlocksFieldEvent {
        field: '$.rawBlocks[]';
        index: number;
        value: Uint8Array<ArrayBuffer>;
    }
    interface BitswapMessageBlocksPrefixFieldEvent {
        field: '$.blocks[].prefix';
        value: Uint8Array<ArrayBuffer>;
        index: number;
    }
    interface BitswapMessageBlocksDataFieldEvent {
        field: '$.blocks[].data';
        value: Uint8Array<ArrayBuffer>;
        index: number;
    }
    interface BitswapMessageBlockPresencesCidFieldEvent {
        field: '$.blockPresences[].cid';
        value: Uint8Array<ArrayBuffer>;
        index: number;
    }
    interface BitswapMessageBlockPresencesTypeFieldEvent {
        field: '$.blockPresences[].type';
        value: BlockPresenceType;
        index: number;
    }
    interface BitswapMessagePendingBytesFieldEvent {
        field: '$.pendingBytes';
        value: number;
    }
    function encode(obj: Partial<BitswapMessage>): Uint8Array<ArrayBuffer>;
    function decode(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<BitswapMessage>): BitswapMessage;
    function stream(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<BitswapMessage>): Generator<BitswapMessageWantlistEntriesCidFieldEvent | BitswapMessageWantlistEntriesPriorityFieldEvent | BitswapMessageWantlistEntriesCancelFieldEvent | BitswapMessageWantlistEntriesWantTypeFieldEvent | BitswapMessageWantlistEntriesSendDontHaveFieldEvent | BitswapMessageWantlistFullFieldEvent | BitswapMessageRawBlocksFieldEvent | BitswapMessageBlocksPrefixFieldEvent | BitswapMessageBlocksDataFieldEvent | BitswapMessageBlockPresencesCidFieldEvent | BitswapMessageBlockPresencesTypeFieldEvent | BitswapMessagePendingBytesFieldEvent>;
}
