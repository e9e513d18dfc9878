import type { StreamMuxerFactory } from '@libp2p/interface';

/** What we use of the streams and muxers of @chainsafe/libp2p-yamux. */
interface YamuxStream {
  state: number;
  recvWindow: number;
  recvWindowCapacity: number;
  sendWindowUpdate(): void;
}

interface YamuxMuxer {
  _newStream(...args: unknown[]): YamuxStream;
}

/** StreamState.Established: nothing but the window is to be told. */
const ESTABLISHED = 3;

/**
 * Lets yamux tell the sender of new room when half of the window is used up, as Go's does, and not after every data
 * frame: each update is a message to seal and a system call, for frames of a few KiB as many as there is data.
 */
export function lazyWindows(create: () => StreamMuxerFactory): () => StreamMuxerFactory {
  return () => {
    const factory = create();
    const { createStreamMuxer } = factory;
    factory.createStreamMuxer = (connection) => {
      const muxer = createStreamMuxer.call(factory, connection);
      beLazy(muxer as unknown as YamuxMuxer);
      return muxer;
    };
    return factory;
  };
}

function beLazy(muxer: YamuxMuxer): void {
  const newStream = muxer._newStream.bind(muxer);
  muxer._newStream = (...args) => {
    const stream = newStream(...args);
    const update = stream.sendWindowUpdate.bind(stream);
    stream.sendWindowUpdate = () => {
      const isEarly = stream.recvWindowCapacity > stream.recvWindow / 2;
      if (stream.state === ESTABLISHED && isEarly) return;
      update();
    };
    return stream;
  };
}
