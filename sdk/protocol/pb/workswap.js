import { decodeMessage, encodeMessage, MaxLengthError, message, streamMessage } from 'protons-runtime';
import { alloc as uint8ArrayAlloc } from 'uint8arrays/alloc';
export var Request;
(function (Request) {
    let _codec;
    Request.codec = () => {
        if (_codec == null) {
            _codec = message((obj, w, opts = {}) => {
                if (opts.lengthDelimited !== false) {
                    w.fork();
                }
                if ((obj.id != null && obj.id !== 0)) {
                    w.uint32(8);
                    w.uint32(obj.id);
                }
                if (obj.task != null) {
                    w.uint32(18);
                    Task.codec().encode(obj.task, w);
                }
                if (obj.quote != null) {
                    w.uint32(26);
                    Task.codec().encode(obj.quote, w);
                }
                if ((obj.cancel != null && obj.cancel !== false)) {
                    w.uint32(32);
                    w.bool(obj.cancel);
                }
                if (opts.lengthDelimited !== false) {
                    w.ldelim();
                }
            }, (reader, length, opts = {}) => {
                const obj = {
                    id: 0,
                    cancel: false
                };
                const end = length == null ? reader.len : reader.pos + length;
                while (reader.pos < end) {
                    const tag = reader.uint32();
                    switch (tag >>> 3) {
                        case 1: {
                            obj.id = reader.uint32();
                            break;
                        }
                        case 2: {
                            obj.task = Task.codec().decode(reader, reader.uint32(), {
                                limits: opts.limits?.task
                            });
                            break;
                        }
                        case 3: {
                            obj.quote = Task.codec().decode(reader, reader.uint32(), {
                                limits: opts.limits?.quote
                            });
                            break;
                        }
                        case 4: {
                            obj.cancel = reader.bool();
                            break;
                        }
                        default: {
                            reader.skipType(tag & 7);
                            break;
                        }
                    }
                }
                return obj;
            }, function* (reader, length, prefix, opts = {}) {
                const end = length == null ? reader.len : reader.pos + length;
                while (reader.pos < end) {
                    const tag = reader.uint32();
                    switch (tag >>> 3) {
                        case 1: {
                            yield {
                                field: `${prefix}.id`,
                                value: reader.uint32()
                            };
                            break;
                        }
                        case 2: {
                            yield* Task.codec().stream(reader, reader.uint32(), `${prefix}.task`, {
                                limits: opts.limits?.task
                            });
                            break;
                        }
                        case 3: {
                            yield* Task.codec().stream(reader, reader.uint32(), `${prefix}.quote`, {
                                limits: opts.limits?.quote
                            });
                            break;
                        }
                        case 4: {
                            yield {
                                field: `${prefix}.cancel`,
                                value: reader.bool()
                            };
                            break;
                        }
                        default: {
                            reader.skipType(tag & 7);
                            break;
                        }
                    }
                }
            });
        }
        return _codec;
    };
    function encode(obj) {
        return encodeMessage(obj, Request.codec());
    }
    Request.encode = encode;
    function decode(buf, opts) {
        return decodeMessage(buf, Request.codec(), opts);
    }
    Request.decode = decode;
    function stream(buf, opts) {
        return streamMessage(buf, Request.codec(), opts);
    }
    Request.stream = stream;
})(Request || (Request = {}));
export var Task;
(function (Task) {
    let _codec;
    Task.codec = () => {
        if (_codec == null) {
            _codec = message((obj, w, opts = {}) => {
                if (opts.lengthDelimited !== false) {
                    w.fork();
                }
                if ((obj.handler != null && obj.handler.byteLength > 0)) {
                    w.uint32(10);
                    w.bytes(obj.handler);
                }
                if ((obj.method != null && obj.method !== '')) {
                    w.uint32(18);
                    w.string(obj.method);
                }
                if ((obj.path != null && obj.path !== '')) {
                    w.uint32(26);
                    w.string(obj.path);
                }
                if ((obj.query != null && obj.query !== '')) {
                    w.uint32(34);
                    w.string(obj.query);
                }
                if (obj.headers != null && obj.headers.length > 0) {
                    for (const value of obj.headers) {
                        w.uint32(42);
                        Header.codec().encode(value, w);
                    }
                }
                if (obj.body != null) {
                    w.uint32(50);
                    w.bytes(obj.body);
                }
                if ((obj.timeMs != null && obj.timeMs !== 0)) {
                    w.uint32(56);
                    w.uint64Number(obj.timeMs);
                }
                if ((obj.seed != null && obj.seed.byteLength > 0)) {
                    w.uint32(66);
                    w.bytes(obj.seed);
                }
                if (obj.limits != null) {
                    w.uint32(74);
                    Limits.codec().encode(obj.limits, w);
                }
                if (obj.service != null) {
                    w.uint32(82);
                    w.string(obj.service);
                }
                if (opts.lengthDelimited !== false) {
                    w.ldelim();
                }
            }, (reader, length, opts = {}) => {
                const obj = {
                    handler: uint8ArrayAlloc(0),
                    method: '',
                    path: '',
                    query: '',
                    headers: [],
                    timeMs: 0,
                    seed: uint8ArrayAlloc(0)
                };
                const end = length == null ? reader.len : reader.pos + length;
                while (reader.pos < end) {
                    const tag = reader.uint32();
                    switch (tag >>> 3) {
                        case 1: {
                            obj.handler = reader.bytes();
                            break;
                        }
                        case 2: {
                            obj.method = reader.string();
                            break;
                        }
                        case 3: {
                            obj.path = reader.string();
                            break;
                        }
                        case 4: {
                            obj.query = reader.string();
                            break;
                        }
                        case 5: {
                            if (opts.limits?.headers != null && obj.headers.length === opts.limits.headers) {
                                throw new MaxLengthError('Decode error - repeated field "headers" had too many elements');
                            }
                            obj.headers.push(Header.codec().decode(reader, reader.uint32(), {
                                limits: opts.limits?.headers$
                            }));
                            break;
                        }
                        case 6: {
                            obj.body = reader.bytes();
                            break;
                        }
                        case 7: {
                            obj.timeMs = reader.uint64Number();
                            break;
                        }
                        case 8: {
                            obj.seed = reader.bytes();
                            break;
                        }
                        case 9: {
                            obj.limits = Limits.codec().decode(reader, reader.uint32(), {
                                limits: opts.limits?.limits
                            });
                            break;
                        }
                        case 10: {
                            obj.service = reader.string();
                            break;
                        }
                        default: {
                            reader.skipType(tag & 7);
                            break;
                        }
                    }
                }
                return obj;
            }, function* (reader, length, prefix, opts = {}) {
                const obj = {
                    headers: 0
                };
                const end = length == null ? reader.len : reader.pos + length;
                while (reader.pos < end) {
                    const tag = reader.uint32();
                    switch (tag >>> 3) {
                        case 1: {
                            yield {
                                field: `${prefix}.handler`,
                                value: reader.bytes()
                            };
                            break;
                        }
                        case 2: {
                            yield {
                                field: `${prefix}.method`,
                                value: reader.string()
                            };
                            break;
                        }
                        case 3: {
                            yield {
                                field: `${prefix}.path`,
                                value: reader.string()
                            };
                            break;
                        }
                        case 4: {
                            yield {
                                field: `${prefix}.query`,
                                value: reader.string()
                            };
                            break;
                        }
                        case 5: {
                            if (opts.limits?.headers != null && obj.headers === opts.limits.headers) {
                                throw new MaxLengthError('Streaming decode error - repeated field "headers" had too many elements');
                            }
                            for (const evt of Header.codec().stream(reader, reader.uint32(), `${prefix}.headers[]`, {
                                limits: opts.limits?.headers$
                            })) {
                                yield {
                                    ...evt,
                                    index: obj.headers
                                };
                            }
                            obj.headers++;
                            break;
                        }
                        case 6: {
                            yield {
                                field: `${prefix}.body`,
                                value: reader.bytes()
                            };
                            break;
                        }
                        case 7: {
                            yield {
                                field: `${prefix}.timeMs`,
                                value: reader.uint64Number()
                            };
                            break;
                        }
                        case 8: {
                            yield {
                                field: `${prefix}.seed`,
                                value: reader.bytes()
                            };
                            break;
                        }
                        case 9: {
                            yield* Limits.codec().stream(reader, reader.uint32(), `${prefix}.limits`, {
                                limits: opts.limits?.limits
                            });
                            break;
                        }
                        case 10: {
                            yield {
                                field: `${prefix}.service`,
                                value: reader.string()
                            };
                            break;
                        }
                        default: {
                            reader.skipType(tag & 7);
                            break;
                        }
                    }
                }
            });
        }
        return _codec;
    };
    function encode(obj) {
        return encodeMessage(obj, Task.codec());
    }
    Task.encode = encode;
    function decode(buf, opts) {
        return decodeMessage(buf, Task.codec(), opts);
    }
    Task.decode = decode;
    function stream(buf, opts) {
        return streamMessage(buf, Task.codec(), opts);
    }
    Task.stream = stream;
})(Task || (Task = {}));
export var Header;
(function (Header) {
    let _codec;
    Header.codec = () => {
        if (_codec == null) {
            _codec = message((obj, w, opts = {}) => {
                if (opts.lengthDelimited !== false) {
                    w.fork();
                }
                if ((obj.name != null && obj.name !== '')) {
                    w.uint32(10);
                    w.string(obj.name);
                }
                if ((obj.value != null && obj.value !== '')) {
                    w.uint32(18);
                    w.string(obj.value);
                }
                if (opts.lengthDelimited !== false) {
                    w.ldelim();
                }
            }, (reader, length, opts = {}) => {
                const obj = {
                    name: '',
                    value: ''
                };
                const end = length == null ? reader.len : reader.pos + length;
                while (reader.pos < end) {
                    const tag = reader.uint32();
                    switch (tag >>> 3) {
                        case 1: {
                            obj.name = reader.string();
                            break;
                        }
                        case 2: {
                            obj.value = reader.string();
                            break;
                        }
                        default: {
                            reader.skipType(tag & 7);
                            break;
                        }
                    }
                }
                return obj;
            }, function* (reader, length, prefix, opts = {}) {
                const end = length == null ? reader.len : reader.pos + length;
                while (reader.pos < end) {
                    const tag = reader.uint32();
                    switch (tag >>> 3) {
                        case 1: {
                            yield {
                                field: `${prefix}.name`,
                                value: reader.string()
                            };
                            break;
                        }
                        case 2: {
                            yield {
                                field: `${prefix}.value`,
                                value: reader.string()
                            };
                            break;
                        }
                        default: {
                            reader.skipType(tag & 7);
                            break;
                        }
                    }
                }
            });
        }
        return _codec;
    };
    function encode(obj) {
        return encodeMessage(obj, Header.codec());
    }
    Header.encode = encode;
    function decode(buf, opts) {
        return decodeMessage(buf, Header.codec(), opts);
    }
    Header.decode = decode;
    function stream(buf, opts) {
        return streamMessage(buf, Header.codec(), opts);
    }
    Header.stream = stream;
})(Header || (Header = {}));
export var Limits;
(function (Limits) {
    let _codec;
    Limits.codec = () => {
        if (_codec == null) {
            _codec = message((obj, w, opts = {}) => {
                if (opts.lengthDelimited !== false) {
                    w.fork();
                }
                if ((obj.fuelMax != null && obj.fuelMax !== 0)) {
                    w.uint32(8);
                    w.uint64Number(obj.fuelMax);
                }
                if ((obj.memoryPagesMax != null && obj.memoryPagesMax !== 0)) {
                    w.uint32(16);
                    w.uint32(obj.memoryPagesMax);
                }
                if ((obj.outputBytesMax != null && obj.outputBytesMax !== 0)) {
                    w.uint32(24);
                    w.uint32(obj.outputBytesMax);
                }
                if ((obj.timeoutMs != null && obj.timeoutMs !== 0)) {
                    w.uint32(32);
                    w.uint32(obj.timeoutMs);
                }
                if ((obj.priceMaxBytes != null && obj.priceMaxBytes !== 0)) {
                    w.uint32(40);
                    w.uint64Number(obj.priceMaxBytes);
                }
                if (opts.lengthDelimited !== false) {
                    w.ldelim();
                }
            }, (reader, length, opts = {}) => {
                const obj = {
                    fuelMax: 0,
                    memoryPagesMax: 0,
                    outputBytesMax: 0,
                    timeoutMs: 0,
                    priceMaxBytes: 0
                };
                const end = length == null ? reader.len : reader.pos + length;
                while (reader.pos < end) {
                    const tag = reader.uint32();
                    switch (tag >>> 3) {
                        case 1: {
                            obj.fuelMax = reader.uint64Number();
                            break;
                        }
                        case 2: {
                            obj.memoryPagesMax = reader.uint32();
                            break;
                        }
                        case 3: {
                            obj.outputBytesMax = reader.uint32();
                            break;
                        }
                        case 4: {
                            obj.timeoutMs = reader.uint32();
                            break;
                        }
                        case 5: {
                            obj.priceMaxBytes = reader.uint64Number();
                            break;
                        }
                        default: {
                            reader.skipType(tag & 7);
                            break;
                        }
                    }
                }
                return obj;
            }, function* (reader, length, prefix, opts = {}) {
                const end = length == null ? reader.len : reader.pos + length;
                while (reader.pos < end) {
                    const tag = reader.uint32();
                    switch (tag >>> 3) {
                        case 1: {
                            yield {
                                field: `${prefix}.fuelMax`,
                                value: reader.uint64Number()
                            };
                            break;
                        }
                        case 2: {
                            yield {
                                field: `${prefix}.memoryPagesMax`,
                                value: reader.uint32()
                            };
                            break;
                        }
                        case 3: {
                            yield {
                                field: `${prefix}.outputBytesMax`,
                                value: reader.uint32()
                            };
                            break;
                        }
                        case 4: {
                            yield {
                                field: `${prefix}.timeoutMs`,
                                value: reader.uint32()
                            };
                            break;
                        }
                        case 5: {
                            yield {
                                field: `${prefix}.priceMaxBytes`,
                                value: reader.uint64Number()
                            };
                            break;
                        }
                        default: {
                            reader.skipType(tag & 7);
                            break;
                        }
                    }
                }
            });
        }
        return _codec;
    };
    function encode(obj) {
        return encodeMessage(obj, Limits.codec());
    }
    Limits.encode = encode;
    function decode(buf, opts) {
        return decodeMessage(buf, Limits.codec(), opts);
    }
    Limits.decode = decode;
    function stream(buf, opts) {
        return streamMessage(buf, Limits.codec(), opts);
    }
    Limits.stream = stream;
})(Limits || (Limits = {}));
export var Reply;
(function (Reply) {
    let _codec;
    Reply.codec = () => {
        if (_codec == null) {
            _codec = message((obj, w, opts = {}) => {
                if (opts.lengthDelimited !== false) {
                    w.fork();
                }
                if ((obj.id != null && obj.id !== 0)) {
                    w.uint32(8);
                    w.uint32(obj.id);
                }
                if (obj.tariff != null) {
                    w.uint32(18);
                    w.bytes(obj.tariff);
                }
                if (obj.quote != null) {
                    w.uint32(26);
                    w.bytes(obj.quote);
                }
                if (obj.head != null) {
                    w.uint32(34);
                    w.bytes(obj.head);
                }
                if (obj.body != null) {
                    w.uint32(42);
                    w.bytes(obj.body);
                }
                if (obj.end != null) {
                    w.uint32(50);
                    End.codec().encode(obj.end, w);
                }
                if (obj.error != null) {
                    w.uint32(58);
                    Failure.codec().encode(obj.error, w);
                }
                if (opts.lengthDelimited !== false) {
                    w.ldelim();
                }
            }, (reader, length, opts = {}) => {
                const obj = {
                    id: 0
                };
                const end = length == null ? reader.len : reader.pos + length;
                while (reader.pos < end) {
                    const tag = reader.uint32();
                    switch (tag >>> 3) {
                        case 1: {
                            obj.id = reader.uint32();
                            break;
                        }
                        case 2: {
                            obj.tariff = reader.bytes();
                            break;
                        }
                        case 3: {
                            obj.quote = reader.bytes();
                            break;
                        }
                        case 4: {
                            obj.head = reader.bytes();
                            break;
                        }
                        case 5: {
                            obj.body = reader.bytes();
                            break;
                        }
                        case 6: {
                            obj.end = End.codec().decode(reader, reader.uint32(), {
                                limits: opts.limits?.end
                            });
                            break;
                        }
                        case 7: {
                            obj.error = Failure.codec().decode(reader, reader.uint32(), {
                                limits: opts.limits?.error
                            });
                            break;
                        }
                        default: {
                            reader.skipType(tag & 7);
                            break;
                        }
                    }
                }
                return obj;
            }, function* (reader, length, prefix, opts = {}) {
                const end = length == null ? reader.len : reader.pos + length;
                while (reader.pos < end) {
                    const tag = reader.uint32();
                    switch (tag >>> 3) {
                        case 1: {
                            yield {
                                field: `${prefix}.id`,
                                value: reader.uint32()
                            };
                            break;
                        }
                        case 2: {
                            yield {
                                field: `${prefix}.tariff`,
                                value: reader.bytes()
                            };
                            break;
                        }
                        case 3: {
                            yield {
                                field: `${prefix}.quote`,
                                value: reader.bytes()
                            };
                            break;
                        }
                        case 4: {
                            yield {
                                field: `${prefix}.head`,
                                value: reader.bytes()
                            };
                            break;
                        }
                        case 5: {
                            yield {
                                field: `${prefix}.body`,
                                value: reader.bytes()
                            };
                            break;
                        }
                        case 6: {
                            yield* End.codec().stream(reader, reader.uint32(), `${prefix}.end`, {
                                limits: opts.limits?.end
                            });
                            break;
                        }
                        case 7: {
                            yield* Failure.codec().stream(reader, reader.uint32(), `${prefix}.error`, {
                                limits: opts.limits?.error
                            });
                            break;
                        }
                        default: {
                            reader.skipType(tag & 7);
                            break;
                        }
                    }
                }
            });
        }
        return _codec;
    };
    function encode(obj) {
        return encodeMessage(obj, Reply.codec());
    }
    Reply.encode = encode;
    function decode(buf, opts) {
        return decodeMessage(buf, Reply.codec(), opts);
    }
    Reply.decode = decode;
    function stream(buf, opts) {
        return streamMessage(buf, Reply.codec(), opts);
    }
    Reply.stream = stream;
})(Reply || (Reply = {}));
export var End;
(function (End) {
    let _codec;
    End.codec = () => {
        if (_codec == null) {
            _codec = message((obj, w, opts = {}) => {
                if (opts.lengthDelimited !== false) {
                    w.fork();
                }
                if ((obj.receipt != null && obj.receipt.byteLength > 0)) {
                    w.uint32(10);
                    w.bytes(obj.receipt);
                }
                if (obj.credit != null) {
                    w.uint32(18);
                    Credit.codec().encode(obj.credit, w);
                }
                if (opts.lengthDelimited !== false) {
                    w.ldelim();
                }
            }, (reader, length, opts = {}) => {
                const obj = {
                    receipt: uint8ArrayAlloc(0)
                };
                const end = length == null ? reader.len : reader.pos + length;
                while (reader.pos < end) {
                    const tag = reader.uint32();
                    switch (tag >>> 3) {
                        case 1: {
                            obj.receipt = reader.bytes();
                            break;
                        }
                        case 2: {
                            obj.credit = Credit.codec().decode(reader, reader.uint32(), {
                                limits: opts.limits?.credit
                            });
                            break;
                        }
                        default: {
                            reader.skipType(tag & 7);
                            break;
                        }
                    }
                }
                return obj;
            }, function* (reader, length, prefix, opts = {}) {
                const end = length == null ? reader.len : reader.pos + length;
                while (reader.pos < end) {
                    const tag = reader.uint32();
                    switch (tag >>> 3) {
                        case 1: {
                            yield {
                                field: `${prefix}.receipt`,
                                value: reader.bytes()
                            };
                            break;
                        }
                        case 2: {
                            yield* Credit.codec().stream(reader, reader.uint32(), `${prefix}.credit`, {
                                limits: opts.limits?.credit
                            });
                            break;
                        }
                        default: {
                            reader.skipType(tag & 7);
                            break;
                        }
                    }
                }
            });
        }
        return _codec;
    };
    function encode(obj) {
        return encodeMessage(obj, End.codec());
    }
    End.encode = encode;
    function decode(buf, opts) {
        return decodeMessage(buf, End.codec(), opts);
    }
    End.decode = decode;
    function stream(buf, opts) {
        return streamMessage(buf, End.codec(), opts);
    }
    End.stream = stream;
})(End || (End = {}));
export var Credit;
(function (Credit) {
    let _codec;
    Credit.codec = () => {
        if (_codec == null) {
            _codec = message((obj, w, opts = {}) => {
                if (opts.lengthDelimited !== false) {
                    w.fork();
                }
                if ((obj.balance != null && obj.balance !== 0)) {
                    w.uint32(8);
                    w.sint64Number(obj.balance);
                }
                if ((obj.limit != null && obj.limit !== 0)) {
                    w.uint32(16);
                    w.uint64Number(obj.limit);
                }
                if (opts.lengthDelimited !== false) {
                    w.ldelim();
                }
            }, (reader, length, opts = {}) => {
                const obj = {
                    balance: 0,
                    limit: 0
                };
                const end = length == null ? reader.len : reader.pos + length;
                while (reader.pos < end) {
                    const tag = reader.uint32();
                    switch (tag >>> 3) {
                        case 1: {
                            obj.balance = reader.sint64Number();
                            break;
                        }
                        case 2: {
                            obj.limit = reader.uint64Number();
                            break;
                        }
                        default: {
                            reader.skipType(tag & 7);
                            break;
                        }
                    }
                }
                return obj;
            }, function* (reader, length, prefix, opts = {}) {
                const end = length == null ? reader.len : reader.pos + length;
                while (reader.pos < end) {
                    const tag = reader.uint32();
                    switch (tag >>> 3) {
                        case 1: {
                            yield {
                                field: `${prefix}.balance`,
                                value: reader.sint64Number()
                            };
                            break;
                        }
                        case 2: {
                            yield {
                                field: `${prefix}.limit`,
                                value: reader.uint64Number()
                            };
                            break;
                        }
                        default: {
                            reader.skipType(tag & 7);
                            break;
                        }
                    }
                }
            });
        }
        return _codec;
    };
    function encode(obj) {
        return encodeMessage(obj, Credit.codec());
    }
    Credit.encode = encode;
    function decode(buf, opts) {
        return decodeMessage(buf, Credit.codec(), opts);
    }
    Credit.decode = decode;
    function stream(buf, opts) {
        return streamMessage(buf, Credit.codec(), opts);
    }
    Credit.stream = stream;
})(Credit || (Credit = {}));
export var Failure;
(function (Failure) {
    let _codec;
    Failure.codec = () => {
        if (_codec == null) {
            _codec = message((obj, w, opts = {}) => {
                if (opts.lengthDelimited !== false) {
                    w.fork();
                }
                if ((obj.code != null && obj.code !== '')) {
                    w.uint32(10);
                    w.string(obj.code);
                }
                if ((obj.message != null && obj.message !== '')) {
                    w.uint32(18);
                    w.string(obj.message);
                }
                if ((obj.fault != null && obj.fault !== '')) {
                    w.uint32(26);
                    w.string(obj.fault);
                }
                if ((obj.retryable != null && obj.retryable !== false)) {
                    w.uint32(32);
                    w.bool(obj.retryable);
                }
                if (obj.overCredit != null) {
                    w.uint32(42);
                    OverCredit.codec().encode(obj.overCredit, w);
                }
                if (opts.lengthDelimited !== false) {
                    w.ldelim();
                }
            }, (reader, length, opts = {}) => {
                const obj = {
                    code: '',
                    message: '',
                    fault: '',
                    retryable: false
                };
                const end = length == null ? reader.len : reader.pos + length;
                while (reader.pos < end) {
                    const tag = reader.uint32();
                    switch (tag >>> 3) {
                        case 1: {
                            obj.code = reader.string();
                            break;
                        }
                        case 2: {
                            obj.message = reader.string();
                            break;
                        }
                        case 3: {
                            obj.fault = reader.string();
                            break;
                        }
                        case 4: {
                            obj.retryable = reader.bool();
                            break;
                        }
                        case 5: {
                            obj.overCredit = OverCredit.codec().decode(reader, reader.uint32(), {
                                limits: opts.limits?.overCredit
                            });
                            break;
                        }
                        default: {
                            reader.skipType(tag & 7);
                            break;
                        }
                    }
                }
                return obj;
            }, function* (reader, length, prefix, opts = {}) {
                const end = length == null ? reader.len : reader.pos + length;
                while (reader.pos < end) {
                    const tag = reader.uint32();
                    switch (tag >>> 3) {
                        case 1: {
                            yield {
                                field: `${prefix}.code`,
                                value: reader.string()
                            };
                            break;
                        }
                        case 2: {
                            yield {
                                field: `${prefix}.message`,
                                value: reader.string()
                            };
                            break;
                        }
                        case 3: {
                            yield {
                                field: `${prefix}.fault`,
                                value: reader.string()
                            };
                            break;
                        }
                        case 4: {
                            yield {
                                field: `${prefix}.retryable`,
                                value: reader.bool()
                            };
                            break;
                        }
                        case 5: {
                            yield* OverCredit.codec().stream(reader, reader.uint32(), `${prefix}.overCredit`, {
                                limits: opts.limits?.overCredit
                            });
                            break;
                        }
                        default: {
                            reader.skipType(tag & 7);
                            break;
                        }
                    }
                }
            });
        }
        return _codec;
    };
    function encode(obj) {
        return encodeMessage(obj, Failure.codec());
    }
    Failure.encode = encode;
    function decode(buf, opts) {
        return decodeMessage(buf, Failure.codec(), opts);
    }
    Failure.decode = decode;
    function stream(buf, opts) {
        return streamMessage(buf, Failure.codec(), opts);
    }
    Failure.stream = stream;
})(Failure || (Failure = {}));
export var OverCredit;
(function (OverCredit) {
    let _codec;
    OverCredit.codec = () => {
        if (_codec == null) {
            _codec = message((obj, w, opts = {}) => {
                if (opts.lengthDelimited !== false) {
                    w.fork();
                }
                if ((obj.balance != null && obj.balance !== 0)) {
                    w.uint32(8);
                    w.sint64Number(obj.balance);
                }
                if ((obj.limit != null && obj.limit !== 0)) {
                    w.uint32(16);
                    w.uint64Number(obj.limit);
                }
                if ((obj.reserved != null && obj.reserved !== 0)) {
                    w.uint32(24);
                    w.uint64Number(obj.reserved);
                }
                if ((obj.requestedBytes != null && obj.requestedBytes !== 0)) {
                    w.uint32(32);
                    w.uint64Number(obj.requestedBytes);
                }
                if (obj.waitMs != null) {
                    w.uint32(40);
                    w.uint64Number(obj.waitMs);
                }
                if (obj.wants != null && obj.wants.length > 0) {
                    for (const value of obj.wants) {
                        w.uint32(50);
                        w.bytes(value);
                    }
                }
                if (opts.lengthDelimited !== false) {
                    w.ldelim();
                }
            }, (reader, length, opts = {}) => {
                const obj = {
                    balance: 0,
                    limit: 0,
                    reserved: 0,
                    requestedBytes: 0,
                    wants: []
                };
                const end = length == null ? reader.len : reader.pos + length;
                while (reader.pos < end) {
                    const tag = reader.uint32();
                    switch (tag >>> 3) {
                        case 1: {
                            obj.balance = reader.sint64Number();
                            break;
                        }
                        case 2: {
                            obj.limit = reader.uint64Number();
                            break;
                        }
                        case 3: {
                            obj.reserved = reader.uint64Number();
                            break;
                        }
                        case 4: {
                            obj.requestedBytes = reader.uint64Number();
                            break;
                        }
                        case 5: {
                            obj.waitMs = reader.uint64Number();
                            break;
                        }
                        case 6: {
                            if (opts.limits?.wants != null && obj.wants.length === opts.limits.wants) {
                                throw new MaxLengthError('Decode error - repeated field "wants" had too many elements');
                            }
                            obj.wants.push(reader.bytes());
                            break;
                        }
                        default: {
                            reader.skipType(tag & 7);
                            break;
                        }
                    }
                }
                return obj;
            }, function* (reader, length, prefix, opts = {}) {
                const obj = {
                    wants: 0
                };
                const end = length == null ? reader.len : reader.pos + length;
                while (reader.pos < end) {
                    const tag = reader.uint32();
                    switch (tag >>> 3) {
                        case 1: {
                            yield {
                                field: `${prefix}.balance`,
                                value: reader.sint64Number()
                            };
                            break;
                        }
                        case 2: {
                            yield {
                                field: `${prefix}.limit`,
                                value: reader.uint64Number()
                            };
                            break;
                        }
                        case 3: {
                            yield {
                                field: `${prefix}.reserved`,
                                value: reader.uint64Number()
                            };
                            break;
                        }
                        case 4: {
                            yield {
                                field: `${prefix}.requestedBytes`,
                                value: reader.uint64Number()
                            };
                            break;
                        }
                        case 5: {
                            yield {
                                field: `${prefix}.waitMs`,
                                value: reader.uint64Number()
                            };
                            break;
                        }
                        case 6: {
                            if (opts.limits?.wants != null && obj.wants === opts.limits.wants) {
                                throw new MaxLengthError('Streaming decode error - repeated field "wants" had too many elements');
                            }
                            yield {
                                field: `${prefix}.wants[]`,
                                index: obj.wants,
                                value: reader.bytes()
                            };
                            obj.wants++;
                            break;
                        }
                        default: {
                            reader.skipType(tag & 7);
                            break;
                        }
                    }
                }
            });
        }
        return _codec;
    };
    function encode(obj) {
        return encodeMessage(obj, OverCredit.codec());
    }
    OverCredit.encode = encode;
    function decode(buf, opts) {
        return decodeMessage(buf, OverCredit.codec(), opts);
    }
    OverCredit.decode = decode;
    function stream(buf, opts) {
        return streamMessage(buf, OverCredit.codec(), opts);
    }
    OverCredit.stream = stream;
})(OverCredit || (OverCredit = {}));
