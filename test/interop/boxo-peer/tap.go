package main

import (
	"sync"

	"github.com/ipfs/boxo/bitswap/message"
	pb "github.com/ipfs/boxo/bitswap/message/pb"
	"github.com/libp2p/go-libp2p/core/peer"
)

// tally counts what messages in one direction said.
type tally struct {
	WantBlocks int `json:"wantBlocks"`
	WantHaves  int `json:"wantHaves"`
	Cancels    int `json:"cancels"`
	Haves      int `json:"haves"`
	DontHaves  int `json:"dontHaves"`
	Blocks     int `json:"blocks"`
	Bytes      int `json:"bytes"`
}

func (t *tally) add(m message.BitSwapMessage) {
	for _, entry := range m.Wantlist() {
		switch {
		case entry.Cancel:
			t.Cancels++
		case entry.WantType == pb.Message_Wantlist_Have:
			t.WantHaves++
		default:
			t.WantBlocks++
		}
	}
	t.Haves += len(m.Haves())
	t.DontHaves += len(m.DontHaves())
	for _, block := range m.Blocks() {
		t.Blocks++
		t.Bytes += len(block.RawData())
	}
}

// tap sees every message on its way in or out.
type tap struct {
	mu       sync.Mutex
	received tally
	sent     tally
}

func (t *tap) MessageReceived(_ peer.ID, m message.BitSwapMessage) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.received.add(m)
}

func (t *tap) MessageSent(_ peer.ID, m message.BitSwapMessage) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.sent.add(m)
}

func (t *tap) counts() map[string]tally {
	t.mu.Lock()
	defer t.mu.Unlock()
	return map[string]tally{"received": t.received, "sent": t.sent}
}
