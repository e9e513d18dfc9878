import type { Codec, DecodeOptions } from 'protons-runtime';
import type { Uint8ArrayList } from 'uint8arraylist';
export interface Request {
    id: number;
    task?: Task;
    quote?: Task;
    cancel: boolean;
}
export declare namespace Request {
    const codec: () => Codec<Request>;
    interface RequestIdFieldEvent {
        field: '$.id';
        value: number;
    }
    interface RequestTaskHandlerFieldEvent {
        field: '$.task.handler';
        value: Uint8Array<ArrayBuffer>;
    }
    interface RequestTaskMethodFieldEvent {
        field: '$.task.method';
        value: string;
    }
    interface RequestTaskPathFieldEvent {
        field: '$.task.path';
        value: string;
    }
    interface RequestTaskQueryFieldEvent {
        field: '$.task.query';
        value: string;
    }
    interface RequestTaskHeadersNameFieldEvent {
        field: '$.task.headers[].name';
        value: string;
        index: number;
    }
    interface RequestTaskHeadersValueFieldEvent {
        field: '$.task.headers[].value';
        value: string;
        index: number;
    }
    interface RequestTaskBodyFieldEvent {
        field: '$.task.body';
        value: Uint8Array<ArrayBuffer>;
    }
    interface RequestTaskTimeMsFieldEvent {
        field: '$.task.timeMs';
        value: number;
    }
    interface RequestTaskSeedFieldEvent {
        field: '$.task.seed';
        value: Uint8Array<ArrayBuffer>;
    }
    interface RequestTaskLimitsFuelMaxFieldEvent {
        field: '$.task.limits.fuelMax';
        value: number;
    }
    interface RequestTaskLimitsMemoryPagesMaxFieldEvent {
        field: '$.task.limits.memoryPagesMax';
        value: number;
    }
    interface RequestTaskLimitsOutputBytesMaxFieldEvent {
        field: '$.task.limits.outputBytesMax';
        value: number;
    }
    interface RequestTaskLimitsTimeoutMsFieldEvent {
        field: '$.task.limits.timeoutMs';
        value: number;
    }
    interface RequestTaskLimitsPriceMaxBytesFieldEvent {
        field: '$.task.limits.priceMaxBytes';
        value: number;
    }
    interface RequestTaskServiceFieldEvent {
        field: '$.task.service';
        value: string;
    }
    interface RequestQuoteHandlerFieldEvent {
        field: '$.quote.handler';
        value: Uint8Array<ArrayBuffer>;
    }
    interface RequestQuoteMethodFieldEvent {
        field: '$.quote.method';
        value: string;
    }
    interface RequestQuotePathFieldEvent {
        field: '$.quote.path';
        value: string;
    }
    interface RequestQuoteQueryFieldEvent {
        field: '$.quote.query';
        value: string;
    }
    interface RequestQuoteHeadersNameFieldEvent {
        field: '$.quote.headers[].name';
        value: string;
        index: number;
    }
    interface RequestQuoteHeadersValueFieldEvent {
        field: '$.quote.headers[].value';
        value: string;
        index: number;
    }
    interface RequestQuoteBodyFieldEvent {
        field: '$.quote.body';
        value: Uint8Array<ArrayBuffer>;
    }
    interface RequestQuoteTimeMsFieldEvent {
        field: '$.quote.timeMs';
        value: number;
    }
    interface RequestQuoteSeedFieldEvent {
        field: '$.quote.seed';
        value: Uint8Array<ArrayBuffer>;
    }
    interface RequestQuoteLimitsFuelMaxFieldEvent {
        field: '$.quote.limits.fuelMax';
        value: number;
    }
    interface RequestQuoteLimitsMemoryPagesMaxFieldEvent {
        field: '$.quote.limits.memoryPagesMax';
        value: number;
    }
    interface RequestQuoteLimitsOutputBytesMaxFieldEvent {
        field: '$.quote.limits.outputBytesMax';
        value: number;
    }
    interface RequestQuoteLimitsTimeoutMsFieldEvent {
        field: '$.quote.limits.timeoutMs';
        value: number;
    }
    interface RequestQuoteLimitsPriceMaxBytesFieldEvent {
        field: '$.quote.limits.priceMaxBytes';
        value: number;
    }
    interface RequestQuoteServiceFieldEvent {
        field: '$.quote.service';
        value: string;
    }
    interface RequestCancelFieldEvent {
        field: '$.cancel';
        value: boolean;
    }
    function encode(obj: Partial<Request>): Uint8Array<ArrayBuffer>;
    function decode(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Request>): Request;
    function stream(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Request>): Generator<RequestIdFieldEvent | RequestTaskHandlerFieldEvent | RequestTaskMethodFieldEvent | RequestTaskPathFieldEvent | RequestTaskQueryFieldEvent | RequestTaskHeadersNameFieldEvent | RequestTaskHeadersValueFieldEvent | RequestTaskBodyFieldEvent | RequestTaskTimeMsFieldEvent | RequestTaskSeedFieldEvent | RequestTaskLimitsFuelMaxFieldEvent | RequestTaskLimitsMemoryPagesMaxFieldEvent | RequestTaskLimitsOutputBytesMaxFieldEvent | RequestTaskLimitsTimeoutMsFieldEvent | RequestTaskLimitsPriceMaxBytesFieldEvent | RequestTaskServiceFieldEvent | RequestQuoteHandlerFieldEvent | RequestQuoteMethodFieldEvent | RequestQuotePathFieldEvent | RequestQuoteQueryFieldEvent | RequestQuoteHeadersNameFieldEvent | RequestQuoteHeadersValueFieldEvent | RequestQuoteBodyFieldEvent | RequestQuoteTimeMsFieldEvent | RequestQuoteSeedFieldEvent | RequestQuoteLimitsFuelMaxFieldEvent | RequestQuoteLimitsMemoryPagesMaxFieldEvent | RequestQuoteLimitsOutputBytesMaxFieldEvent | RequestQuoteLimitsTimeoutMsFieldEvent | RequestQuoteLimitsPriceMaxBytesFieldEvent | RequestQuoteServiceFieldEvent | RequestCancelFieldEvent>;
}
export interface Task {
    handler: Uint8Array<ArrayBuffer>;
    method: string;
    path: string;
    query: string;
    headers: Header[];
    body?: Uint8Array<ArrayBuffer>;
    timeMs: number;
    seed: Uint8Array<ArrayBuffer>;
    limits?: Limits;
    service?: string;
}
export declare namespace Task {
    const codec: () => Codec<Task>;
    interface TaskHandlerFieldEvent {
        field: '$.handler';
        value: Uint8Array<ArrayBuffer>;
    }
    interface TaskMethodFieldEvent {
        field: '$.method';
        value: string;
    }
    interface TaskPathFieldEvent {
        field: '$.path';
        value: string;
    }
    interface TaskQueryFieldEvent {
        field: '$.query';
        value: string;
    }
    interface TaskHeadersNameFieldEvent {
        field: '$.headers[].name';
        value: string;
        index: number;
    }
    interface TaskHeadersValueFieldEvent {
        field: '$.headers[].value';
        value: string;
        index: number;
    }
    interface TaskBodyFieldEvent {
        field: '$.body';
        value: Uint8Array<ArrayBuffer>;
    }
    interface TaskTimeMsFieldEvent {
        field: '$.timeMs';
        value: number;
    }
    interface TaskSeedFieldEvent {
        field: '$.seed';
        value: Uint8Array<ArrayBuffer>;
    }
    interface TaskLimitsFuelMaxFieldEvent {
        field: '$.limits.fuelMax';
        value: number;
    }
    interface TaskLimitsMemoryPagesMaxFieldEvent {
        field: '$.limits.memoryPagesMax';
        value: number;
    }
    interface TaskLimitsOutputBytesMaxFieldEvent {
        field: '$.limits.outputBytesMax';
        value: number;
    }
    interface TaskLimitsTimeoutMsFieldEvent {
        field: '$.limits.timeoutMs';
        value: number;
    }
    interface TaskLimitsPriceMaxBytesFieldEvent {
        field: '$.limits.priceMaxBytes';
        value: number;
    }
    interface TaskServiceFieldEvent {
        field: '$.service';
        value: string;
    }
    function encode(obj: Partial<Task>): Uint8Array<ArrayBuffer>;
    function decode(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Task>): Task;
    function stream(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Task>): Generator<TaskHandlerFieldEvent | TaskMethodFieldEvent | TaskPathFieldEvent | TaskQueryFieldEvent | TaskHeadersNameFieldEvent | TaskHeadersValueFieldEvent | TaskBodyFieldEvent | TaskTimeMsFieldEvent | TaskSeedFieldEvent | TaskLimitsFuelMaxFieldEvent | TaskLimitsMemoryPagesMaxFieldEvent | TaskLimitsOutputBytesMaxFieldEvent | TaskLimitsTimeoutMsFieldEvent | TaskLimitsPriceMaxBytesFieldEvent | TaskServiceFieldEvent>;
}
export interface Header {
    name: string;
    value: string;
}
export declare namespace Header {
    const codec: () => Codec<Header>;
    interface HeaderNameFieldEvent {
        field: '$.name';
        value: string;
    }
    interface HeaderValueFieldEvent {
        field: '$.value';
        value: string;
    }
    function encode(obj: Partial<Header>): Uint8Array<ArrayBuffer>;
    function decode(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Header>): Header;
    function stream(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Header>): Generator<HeaderNameFieldEvent | HeaderValueFieldEvent>;
}
export interface Limits {
    fuelMax: number;
    memoryPagesMax: number;
    outputBytesMax: number;
    timeoutMs: number;
    priceMaxBytes: number;
}
export declare namespace Limits {
    const codec: () => Codec<Limits>;
    interface LimitsFuelMaxFieldEvent {
        field: '$.fuelMax';
        value: number;
    }
    interface LimitsMemoryPagesMaxFieldEvent {
        field: '$.memoryPagesMax';
        value: number;
    }
    interface LimitsOutputBytesMaxFieldEvent {
        field: '$.outputBytesMax';
        value: number;
    }
    interface LimitsTimeoutMsFieldEvent {
        field: '$.timeoutMs';
        value: number;
    }
    interface LimitsPriceMaxBytesFieldEvent {
        field: '$.priceMaxBytes';
        value: number;
    }
    function encode(obj: Partial<Limits>): Uint8Array<ArrayBuffer>;
    function decode(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Limits>): Limits;
    function stream(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Limits>): Generator<LimitsFuelMaxFieldEvent | LimitsMemoryPagesMaxFieldEvent | LimitsOutputBytesMaxFieldEvent | LimitsTimeoutMsFieldEvent | LimitsPriceMaxBytesFieldEvent>;
}
export interface Reply {
    id: number;
    tariff?: Uint8Array<ArrayBuffer>;
    quote?: Uint8Array<ArrayBuffer>;
    head?: Uint8Array<ArrayBuffer>;
    body?: Uint8Array<ArrayBuffer>;
    end?: End;
    error?: Failure;
}
export declare namespace Reply {
    const codec: () => Codec<Reply>;
    interface ReplyIdFieldEvent {
        field: '$.id';
        value: number;
    }
    interface ReplyTariffFieldEvent {
        field: '$.tariff';
        value: Uint8Array<ArrayBuffer>;
    }
    interface ReplyQuoteFieldEvent {
        field: '$.quote';
        value: Uint8Array<ArrayBuffer>;
    }
    interface ReplyHeadFieldEvent {
        field: '$.head';
        value: Uint8Array<ArrayBuffer>;
    }
    interface ReplyBodyFieldEvent {
        field: '$.body';
        value: Uint8Array<ArrayBuffer>;
    }
    interface ReplyEndReceiptFieldEvent {
        field: '$.end.receipt';
        value: Uint8Array<ArrayBuffer>;
    }
    interface ReplyEndCreditBalanceFieldEvent {
        field: '$.end.credit.balance';
        value: number;
    }
    interface ReplyEndCreditLimitFieldEvent {
        field: '$.end.credit.limit';
        value: number;
    }
    interface ReplyErrorCodeFieldEvent {
        field: '$.error.code';
        value: string;
    }
    interface ReplyErrorMessageFieldEvent {
        field: '$.error.message';
        value: string;
    }
    interface ReplyErrorFaultFieldEvent {
        field: '$.error.fault';
        value: string;
    }
    interface ReplyErrorRetryableFieldEvent {
        field: '$.error.retryable';
        value: boolean;
    }
    interface ReplyErrorOverCreditBalanceFieldEvent {
        field: '$.error.overCredit.balance';
        value: number;
    }
    interface ReplyErrorOverCreditLimitFieldEvent {
        field: '$.error.overCredit.limit';
        value: number;
    }
    interface ReplyErrorOverCreditReservedFieldEvent {
        field: '$.error.overCredit.reserved';
        value: number;
    }
    interface ReplyErrorOverCreditRequestedBytesFieldEvent {
        field: '$.error.overCredit.requestedBytes';
        value: number;
    }
    interface ReplyErrorOverCreditWaitMsFieldEvent {
        field: '$.error.overCredit.waitMs';
        value: number;
    }
    interface ReplyErrorOverCreditWantsFieldEvent {
        field: '$.error.overCredit.wants[]';
        index: number;
        value: Uint8Array<ArrayBuffer>;
    }
    function encode(obj: Partial<Reply>): Uint8Array<ArrayBuffer>;
    function decode(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Reply>): Reply;
    function stream(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Reply>): Generator<ReplyIdFieldEvent | ReplyTariffFieldEvent | ReplyQuoteFieldEvent | ReplyHeadFieldEvent | ReplyBodyFieldEvent | ReplyEndReceiptFieldEvent | ReplyEndCreditBalanceFieldEvent | ReplyEndCreditLimitFieldEvent | ReplyErrorCodeFieldEvent | ReplyErrorMessageFieldEvent | ReplyErrorFaultFieldEvent | ReplyErrorRetryableFieldEvent | ReplyErrorOverCreditBalanceFieldEvent | ReplyErrorOverCreditLimitFieldEvent | ReplyErrorOverCreditReservedFieldEvent | ReplyErrorOverCreditRequestedBytesFieldEvent | ReplyErrorOverCreditWaitMsFieldEvent | ReplyErrorOverCreditWantsFieldEvent>;
}
export interface End {
    receipt: Uint8Array<ArrayBuffer>;
    credit?: Credit;
}
export declare namespace End {
    const codec: () => Codec<End>;
    interface EndReceiptFieldEvent {
        field: '$.receipt';
        value: Uint8Array<ArrayBuffer>;
    }
    interface EndCreditBalanceFieldEvent {
        field: '$.credit.balance';
        value: number;
    }
    interface EndCreditLimitFieldEvent {
        field: '$.credit.limit';
        value: number;
    }
    function encode(obj: Partial<End>): Uint8Array<ArrayBuffer>;
    function decode(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<End>): End;
    function stream(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<End>): Generator<EndReceiptFieldEvent | EndCreditBalanceFieldEvent | EndCreditLimitFieldEvent>;
}
export interface Credit {
    balance: number;
    limit: number;
}
export declare namespace Credit {
    const codec: () => Codec<Credit>;
    interface CreditBalanceFieldEvent {
        field: '$.balance';
        value: number;
    }
    interface CreditLimitFieldEvent {
        field: '$.limit';
        value: number;
    }
    function encode(obj: Partial<Credit>): Uint8Array<ArrayBuffer>;
    function decode(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Credit>): Credit;
    function stream(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Credit>): Generator<CreditBalanceFieldEvent | CreditLimitFieldEvent>;
}
export interface Failure {
    code: string;
    message: string;
    fault: string;
    retryable: boolean;
    overCredit?: OverCredit;
}
export declare namespace Failure {
    const codec: () => Codec<Failure>;
    interface FailureCodeFieldEvent {
        field: '$.code';
        value: string;
    }
    interface FailureMessageFieldEvent {
        field: '$.message';
        value: string;
    }
    interface FailureFaultFieldEvent {
        field: '$.fault';
        value: string;
    }
    interface FailureRetryableFieldEvent {
        field: '$.retryable';
        value: boolean;
    }
    interface FailureOverCreditBalanceFieldEvent {
        field: '$.overCredit.balance';
        value: number;
    }
    interface FailureOverCreditLimitFieldEvent {
        field: '$.overCredit.limit';
        value: number;
    }
    interface FailureOverCreditReservedFieldEvent {
        field: '$.overCredit.reserved';
        value: number;
    }
    interface FailureOverCreditRequestedBytesFieldEvent {
        field: '$.overCredit.requestedBytes';
        value: number;
    }
    interface FailureOverCreditWaitMsFieldEvent {
        field: '$.overCredit.waitMs';
        value: number;
    }
    interface FailureOverCreditWantsFieldEvent {
        field: '$.overCredit.wants[]';
        index: number;
        value: Uint8Array<ArrayBuffer>;
    }
    function encode(obj: Partial<Failure>): Uint8Array<ArrayBuffer>;
    function decode(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Failure>): Failure;
    function stream(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Failure>): Generator<FailureCodeFieldEvent | FailureMessageFieldEvent | FailureFaultFieldEvent | FailureRetryableFieldEvent | FailureOverCreditBalanceFieldEvent | FailureOverCreditLimitFieldEvent | FailureOverCreditReservedFieldEvent | FailureOverCreditRequestedBytesFieldEvent | FailureOverCreditWaitMsFieldEvent | FailureOverCreditWantsFieldEvent>;
}
export interface OverCredit {
    balance: number;
    limit: number;
    reserved: number;
    requestedBytes: number;
    waitMs?: number;
    wants: Uint8Array<ArrayBuffer>[];
}
export declare namespace OverCredit {
    const codec: () => Codec<OverCredit>;
    interface OverCreditBalanceFieldEvent {
        field: '$.balance';
        value: number;
    }
    interface OverCreditLimitFieldEvent {
        field: '$.limit';
        value: number;
    }
    interface OverCreditReservedFieldEvent {
        field: '$.reserved';
        value: number;
    }
    interface OverCreditRequestedBytesFieldEvent {
        field: '$.requestedBytes';
        value: number;
    }
    interface OverCreditWaitMsFieldEvent {
        field: '$.waitMs';
        value: number;
    }
    interface OverCreditWantsFieldEvent {
        field: '$.wants[]';
        index: number;
        value: Uint8Array<ArrayBuffer>;
    }
    function encode(obj: Partial<OverCredit>): Uint8Array<ArrayBuffer>;
    function decode(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<OverCredit>): OverCredit;
    function stream(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<OverCredit>): Generator<OverCreditBalanceFieldEvent | OverCreditLimitFieldEvent | OverCreditReservedFieldEvent | OverCreditRequestedBytesFieldEvent | OverCreditWaitMsFieldEvent | OverCreditWantsFieldEvent>;
}
