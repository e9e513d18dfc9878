package main

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"fmt"
	"io"
	"runtime"
	"time"

	blocks "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"
	"github.com/multiformats/go-multihash"
)

// blockSet names blocks that both ends can make from a few numbers.
type blockSet struct {
	Seed    uint32 `json:"seed"`
	Count   int    `json:"count"`
	Size    int    `json:"size"`
	Version uint64 `json:"version"`
	Codec   uint64 `json:"codec"`
}

type fetched struct {
	Bytes int     `json:"bytes"`
	Ms    float64 `json:"ms"`
	// Of a file's content.
	Sha256 []byte `json:"sha256,omitempty"`
}

// stream is the AES-CTR key stream of a seed and a number: random bytes that Node makes just as fast.
func stream(seed uint32, number uint32) cipher.Stream {
	key := make([]byte, 16)
	binary.BigEndian.PutUint32(key, seed)
	iv := make([]byte, 16)
	binary.BigEndian.PutUint32(iv, number)
	block, err := aes.NewCipher(key)
	if err != nil {
		panic(err)
	}
	return cipher.NewCTR(block, iv)
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

func contentReader(seed uint32, size int) io.Reader {
	return io.LimitReader(cipher.StreamReader{S: stream(seed, 0), R: zeros{}}, int64(size))
}

func (s blockSet) block(number int) (blocks.Block, error) {
	data := make([]byte, s.Size)
	stream(s.Seed, uint32(number)).XORKeyStream(data, data)
	prefix := cid.Prefix{Version: s.Version, Codec: s.Codec, MhType: multihash.SHA2_256, MhLength: -1}
	c, err := prefix.Sum(data)
	if err != nil {
		return nil, err
	}
	return blocks.NewBlockWithCid(data, c)
}

func (n *node) makeBlocks(ctx context.Context, set blockSet) error {
	for number := range set.Count {
		block, err := set.block(number)
		if err != nil {
			return err
		}
		if err := n.store.Put(ctx, block); err != nil {
			return err
		}
	}
	runtime.GC()
	return nil
}

func (n *node) dropBlocks(ctx context.Context, set blockSet) error {
	for number := range set.Count {
		block, err := set.block(number)
		if err != nil {
			return err
		}
		if err := n.store.DeleteBlock(ctx, block.Cid()); err != nil {
			return err
		}
	}
	return nil
}

// fetchBlocks asks one session for all blocks of the set at once and compares every byte.
func (n *node) fetchBlocks(ctx context.Context, set blockSet) (*fetched, error) {
	want := map[cid.Cid][]byte{}
	var cids []cid.Cid
	for number := range set.Count {
		block, err := set.block(number)
		if err != nil {
			return nil, err
		}
		want[block.Cid()] = block.RawData()
		cids = append(cids, block.Cid())
	}
	// What making the blocks left behind is not collected at the cost of fetching them.
	runtime.GC()
	started := time.Now()
	coming, err := n.bitswap.NewSession(ctx).GetBlocks(ctx, cids)
	if err != nil {
		return nil, err
	}
	total := 0
	got := make([]blocks.Block, 0, set.Count)
	for block := range coming {
		got = append(got, block)
		total += len(block.RawData())
	}
	ms := float64(time.Since(started).Microseconds()) / 1000
	if len(got) != set.Count {
		return nil, fmt.Errorf("%d of %d blocks came", len(got), set.Count)
	}
	for _, block := range got {
		if !bytes.Equal(block.RawData(), want[block.Cid()]) {
			return nil, fmt.Errorf("%s came with other bytes", block.Cid())
		}
	}
	return &fetched{Bytes: total, Ms: ms}, nil
}
