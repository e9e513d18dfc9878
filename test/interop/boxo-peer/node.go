package main

import (
	"context"

	"github.com/ipfs/boxo/bitswap"
	"github.com/ipfs/boxo/bitswap/network/bsnet"
	"github.com/ipfs/boxo/blockstore"
	blocks "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"
	"github.com/ipfs/go-datastore"
	dssync "github.com/ipfs/go-datastore/sync"
	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/p2p/muxer/yamux"
	"github.com/libp2p/go-libp2p/p2p/security/noise"
	"github.com/libp2p/go-libp2p/p2p/transport/tcp"
)

// node is a libp2p host on loopback, TCP + noise + yamux, with boxo's Bitswap over a store in memory.
type node struct {
	host    host.Host
	store   blockstore.Blockstore
	bitswap *bitswap.Bitswap
	tap     *tap
}

func newNode(ctx context.Context) (*node, error) {
	h, err := libp2p.New(
		libp2p.ListenAddrStrings("/ip4/127.0.0.1/tcp/0"),
		libp2p.Transport(tcp.NewTCPTransport),
		libp2p.Security(noise.ID, noise.New),
		libp2p.Muxer(yamux.ID, yamux.DefaultTransport),
		libp2p.DisableRelay(),
	)
	if err != nil {
		return nil, err
	}
	store := blockstore.NewBlockstore(dssync.MutexWrap(datastore.NewMapDatastore()))
	tap := &tap{}
	exchange := bitswap.New(ctx, bsnet.NewFromIpfsHost(h), nil, store, bitswap.WithTracer(tap))
	return &node{host: h, store: store, bitswap: exchange, tap: tap}, nil
}

func (n *node) addrs() []string {
	var addrs []string
	for _, addr := range n.host.Addrs() {
		addrs = append(addrs, addr.String()+"/p2p/"+n.host.ID().String())
	}
	return addrs
}

func (n *node) connect(ctx context.Context, addr string) error {
	info, err := peer.AddrInfoFromString(addr)
	if err != nil {
		return err
	}
	return n.host.Connect(ctx, *info)
}

func (n *node) disconnect(id string) error {
	p, err := peer.Decode(id)
	if err != nil {
		return err
	}
	return n.host.Network().ClosePeer(p)
}

// put stores a block and tells the peers that wait for it.
func (n *node) put(ctx context.Context, text string, data []byte) error {
	c, err := cid.Decode(text)
	if err != nil {
		return err
	}
	block, err := blocks.NewBlockWithCid(data, c)
	if err != nil {
		return err
	}
	if err := n.store.Put(ctx, block); err != nil {
		return err
	}
	return n.bitswap.NotifyNewBlocks(ctx, block)
}

func (n *node) get(ctx context.Context, text string) ([]byte, error) {
	c, err := cid.Decode(text)
	if err != nil {
		return nil, err
	}
	block, err := n.bitswap.GetBlock(ctx, c)
	if err != nil {
		return nil, err
	}
	return block.RawData(), nil
}

func (n *node) receipt(id string) (any, error) {
	p, err := peer.Decode(id)
	if err != nil {
		return nil, err
	}
	r := n.bitswap.LedgerForPeer(p)
	return map[string]any{"sent": r.Sent, "recv": r.Recv, "value": r.Value, "exchanged": r.Exchanged}, nil
}

// wantlist tells what a peer wants from us.
func (n *node) wantlist(id string) ([]string, error) {
	p, err := peer.Decode(id)
	if err != nil {
		return nil, err
	}
	cids := []string{}
	for _, c := range n.bitswap.WantlistForPeer(p) {
		cids = append(cids, c.String())
	}
	return cids, nil
}
