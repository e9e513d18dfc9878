package main

import (
	"context"
	"crypto/sha256"
	"io"
	"time"

	"github.com/ipfs/boxo/blockservice"
	"github.com/ipfs/boxo/chunker"
	"github.com/ipfs/boxo/ipld/merkledag"
	"github.com/ipfs/boxo/ipld/unixfs/importer/balanced"
	"github.com/ipfs/boxo/ipld/unixfs/importer/helpers"
	unixfs "github.com/ipfs/boxo/ipld/unixfs/io"
	"github.com/ipfs/go-cid"
)

// fileShape is a UnixFS file of random bytes: CIDv0 with dag-pb leaves, or CIDv1 with raw ones.
type fileShape struct {
	Seed    uint32 `json:"seed"`
	Size    int    `json:"size"`
	Chunk   int64  `json:"chunk"`
	Version int    `json:"version"`
}

func (n *node) addFile(ctx context.Context, shape fileShape) (string, error) {
	builder, err := merkledag.PrefixForCidVersion(shape.Version)
	if err != nil {
		return "", err
	}
	// The store alone: adding a file asks nobody for anything.
	dag := merkledag.NewDAGService(blockservice.New(n.store, nil))
	params := helpers.DagBuilderParams{
		Maxlinks:   helpers.DefaultLinksPerBlock,
		RawLeaves:  shape.Version == 1,
		CidBuilder: builder,
		Dagserv:    dag,
	}
	splitter := chunk.NewSizeSplitter(contentReader(shape.Seed, shape.Size), shape.Chunk)
	helper, err := params.New(splitter)
	if err != nil {
		return "", err
	}
	root, err := balanced.Layout(helper)
	if err != nil {
		return "", err
	}
	return root.Cid().String(), nil
}

// fetchFile fetches the whole DAG as a pin does, then reads the file from the store.
func (n *node) fetchFile(ctx context.Context, text string) (*fetched, error) {
	root, err := cid.Decode(text)
	if err != nil {
		return nil, err
	}
	dag := merkledag.NewDAGService(blockservice.New(n.store, n.bitswap))
	started := time.Now()
	if err := merkledag.FetchGraph(ctx, root, dag, merkledag.Concurrent()); err != nil {
		return nil, err
	}
	ms := float64(time.Since(started).Microseconds()) / 1000
	top, err := dag.Get(ctx, root)
	if err != nil {
		return nil, err
	}
	reader, err := unixfs.NewDagReader(ctx, top, dag)
	if err != nil {
		return nil, err
	}
	hash := sha256.New()
	size, err := io.Copy(hash, reader)
	if err != nil {
		return nil, err
	}
	return &fetched{Bytes: int(size), Ms: ms, Sha256: hash.Sum(nil)}, nil
}
