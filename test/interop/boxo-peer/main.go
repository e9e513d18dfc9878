// boxo-peer is boxo's Bitswap as a process: the other end of Workswap's interop tests and of its bench.
//
// It prints its peer id and addresses, then takes one JSON command a line on stdin and answers each with one JSON line
// on stdout, in the order in which they finish. It ends when stdin does.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"sync"
)

type command struct {
	ID   int    `json:"id"`
	Name string `json:"name"`
	// Of another command, for "abort".
	Of   int       `json:"of"`
	Peer string    `json:"peer"`
	Addr string    `json:"addr"`
	Cid  string    `json:"cid"`
	Data []byte    `json:"data"`
	Set  blockSet  `json:"set"`
	File fileShape `json:"file"`
}

type answer struct {
	ID    int    `json:"id"`
	Error string `json:"error,omitempty"`
	Value any    `json:"value,omitempty"`
}

type dispatcher struct {
	node    *node
	out     *json.Encoder
	mu      sync.Mutex
	running map[int]context.CancelFunc
}

func main() {
	ctx := context.Background()
	node, err := newNode(ctx)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	d := &dispatcher{node: node, out: json.NewEncoder(os.Stdout), running: map[int]context.CancelFunc{}}
	d.print(map[string]any{"peerId": node.host.ID().String(), "addrs": node.addrs()})
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var c command
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			fmt.Fprintln(os.Stderr, "not a command:", err)
			os.Exit(1)
		}
		d.start(ctx, c)
	}
}

// start runs a command beside the others: a fetch may wait for a block that a later command puts.
func (d *dispatcher) start(ctx context.Context, c command) {
	ctx, cancel := context.WithCancel(ctx)
	d.mu.Lock()
	d.running[c.ID] = cancel
	d.mu.Unlock()
	go func() {
		defer cancel()
		value, err := d.run(ctx, c)
		d.mu.Lock()
		delete(d.running, c.ID)
		d.mu.Unlock()
		if err != nil {
			d.print(answer{ID: c.ID, Error: err.Error()})
		} else {
			d.print(answer{ID: c.ID, Value: value})
		}
	}()
}

func (d *dispatcher) run(ctx context.Context, c command) (any, error) {
	n := d.node
	switch c.Name {
	case "abort":
		d.mu.Lock()
		defer d.mu.Unlock()
		if cancel, ok := d.running[c.Of]; ok {
			cancel()
		}
		return nil, nil
	case "connect":
		return nil, n.connect(ctx, c.Addr)
	case "disconnect":
		return nil, n.disconnect(c.Peer)
	case "put":
		return nil, n.put(ctx, c.Cid, c.Data)
	case "get":
		return n.get(ctx, c.Cid)
	case "make":
		return nil, n.makeBlocks(ctx, c.Set)
	case "drop":
		return nil, n.dropBlocks(ctx, c.Set)
	case "fetch":
		return n.fetchBlocks(ctx, c.Set)
	case "addFile":
		return n.addFile(ctx, c.File)
	case "fetchFile":
		return n.fetchFile(ctx, c.Cid)
	case "receipt":
		return n.receipt(c.Peer)
	case "wantlist":
		return n.wantlist(c.Peer)
	case "gateway":
		return n.serveGateway()
	case "seen":
		return n.tap.counts(), nil
	}
	return nil, fmt.Errorf("no such command: %q", c.Name)
}

func (d *dispatcher) print(value any) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.out.Encode(value); err != nil {
		os.Exit(1)
	}
}
