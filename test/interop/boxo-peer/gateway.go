package main

import (
	"net"
	"net/http"

	"github.com/ipfs/boxo/blockservice"
	"github.com/ipfs/boxo/blockstore"
	"github.com/ipfs/boxo/exchange/offline"
	"github.com/ipfs/boxo/gateway"
	"github.com/prometheus/client_golang/prometheus"
)

// serveGateway starts boxo's HTTP gateway over the blocks that the node has, as Kubo sets it up for localhost.
func (n *node) serveGateway() (any, error) {
	store := blockstore.NewIdStore(n.store)
	backend, err := gateway.NewBlocksBackend(blockservice.New(store, offline.Exchange(store)))
	if err != nil {
		return nil, err
	}
	config := gateway.Config{
		DeserializedResponses: true,
		DisableHTMLErrors:     true,
		DeprecatedXIpfsPath:   true,
		NoDNSLink:             true,
		MetricsRegistry:       prometheus.NewRegistry(),
		PublicGateways: map[string]*gateway.PublicGateway{
			"localhost": {Paths: []string{"/ipfs", "/ipns"}, UseSubdomains: true, DeserializedResponses: true},
		},
	}
	handler := gateway.NewHandler(config, backend)
	mux := http.NewServeMux()
	mux.Handle("/ipfs/", handler)
	mux.Handle("/ipns/", handler)
	headers := gateway.NewHeaders(nil).WithDeprecatedXIpfsPath().ApplyCors()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	go http.Serve(listener, headers.Wrap(gateway.NewHostnameHandler(config, backend, mux)))
	return listener.Addr().(*net.TCPAddr).Port, nil
}
