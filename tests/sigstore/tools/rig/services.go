package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/google/trillian"
	"github.com/google/trillian/extension"
	"github.com/google/trillian/log"
	"github.com/google/trillian/quota"
	"github.com/google/trillian/server"
	"github.com/google/trillian/server/admin"
	"github.com/google/trillian/server/interceptor"
	"github.com/google/trillian/storage"
	_ "github.com/google/trillian/storage/memory" // the provider called "memory"
	"github.com/google/trillian/util/clock"
	"github.com/google/trillian/util/election"
	"github.com/google/trillian/util/election2"
	tsa "github.com/sigstore/timestamp-authority/v2/pkg/server"
	"github.com/spf13/viper"
	f_note "github.com/transparency-dev/formats/note"
	"github.com/transparency-dev/witness/witness"
	"golang.org/x/mod/sumdb/note"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// serveFiles serves the TUF repository below /tuf/ and what the CT log publishes below /ct/.
func serveFiles(args []string) error {
	flags := flag.NewFlagSet("files", flag.ExitOnError)
	listen := flags.String("listen", "", "address")
	tuf := flags.String("tuf", "", "folder")
	ct := flags.String("ct", "", "folder")
	_ = flags.Parse(args)
	mux := http.NewServeMux()
	mux.Handle("GET /tuf/", http.StripPrefix("/tuf/", http.FileServer(http.Dir(*tuf))))
	mux.Handle("GET /ct/", http.StripPrefix("/ct/", published(*ct)))
	return http.ListenAndServe(*listen, mux)
}

// serveTiles is the front of Rekor v2, as a deployment has one: entries go to the server, which serves no reads;
// checkpoint and tiles come from its storage folder.
func serveTiles(args []string) error {
	flags := flag.NewFlagSet("tiles", flag.ExitOnError)
	listen := flags.String("listen", "", "address")
	storage := flags.String("storage", "", "folder")
	upstream := flags.String("upstream", "", "URL of the server")
	_ = flags.Parse(args)
	target, err := url.Parse(*upstream)
	if err != nil {
		return err
	}
	files := published(*storage)
	mux := http.NewServeMux()
	mux.Handle("POST /api/v2/log/entries", httputil.NewSingleHostReverseProxy(target))
	mux.Handle("GET /healthz", httputil.NewSingleHostReverseProxy(target))
	mux.Handle("GET /api/v2/", http.StripPrefix("/api/v2/", files))
	mux.Handle("GET /", files)
	return http.ListenAndServe(*listen, mux)
}

// published serves the public part of a tiled log's folder and nothing else of it.
func published(folder string) http.Handler {
	files := http.FileServer(http.Dir(folder))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path := strings.TrimPrefix(r.URL.Path, "/")
		if path != "checkpoint" && !strings.HasPrefix(path, "tile/") && !strings.HasPrefix(path, "issuer/") {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/octet-stream")
		if path == "checkpoint" {
			w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		}
		w.Header().Set("Cache-Control", "no-store")
		r.URL.Path = "/" + path
		files.ServeHTTP(w, r)
	})
}

// serveTimestamps runs the timestamp authority's own server. Its stock program would also listen on port 2112 of
// every interface and end if another has it, so that two instances could not stand beside each other.
func serveTimestamps(args []string) error {
	flags := flag.NewFlagSet("tsa", flag.ExitOnError)
	port := flags.Int("port", 0, "port")
	key := flags.String("key", "", "private key")
	chain := flags.String("chain", "", "certificates")
	_ = flags.Parse(args)
	for name, value := range map[string]any{
		"timestamp-signer":          "file",
		"timestamp-signer-hash":     "sha256",
		"file-signer-key-path":      *key,
		"file-signer-passwd":        "",
		"certificate-chain-path":    *chain,
		"enforce-intermediate-eku":  true,
		"default-policy-oid":        "1.3.6.1.4.1.57264.2",
		"accepted-policy-oids":      []string{"1.3.6.1.4.1.57264.2"},
		"max-request-body-size":     uint64(1 << 20),
		"include-chain-in-response": false,
	} {
		viper.Set(name, value)
	}
	return tsa.NewRestAPIServer("127.0.0.1", *port, []string{"http"}, false, 10*time.Second, 10*time.Second).Serve()
}

// serveTrillian is Trillian's log server and signer in one process over its storage in memory.
func serveTrillian(args []string) error {
	flags := flag.NewFlagSet("trillian", flag.ExitOnError)
	listen := flags.String("listen", "", "address")
	_ = flags.Parse(args)
	provider, err := storage.NewProvider("memory", nil)
	if err != nil {
		return err
	}
	registry := extension.Registry{
		AdminStorage:    provider.AdminStorage(),
		LogStorage:      &deduplicating{LogStorage: provider.LogStorage(), known: map[string]*trillian.LogLeaf{}},
		QuotaManager:    quota.Noop(),
		ElectionFactory: election2.NoopFactory{},
	}
	grpcServer := grpc.NewServer(grpc.UnaryInterceptor(interceptor.ErrorWrapper))
	trillian.RegisterTrillianAdminServer(grpcServer, admin.New(registry, nil))
	trillian.RegisterTrillianLogServer(grpcServer, server.NewTrillianLogRPCServer(registry, clock.System))
	sequencer := log.NewOperationManager(log.OperationInfo{
		Registry:    registry,
		BatchSize:   200,
		NumWorkers:  1,
		RunInterval: 50 * time.Millisecond,
		TimeSource:  clock.System,
		ElectionConfig: election.RunnerConfig{
			PreElectionPause:   time.Millisecond,
			MasterHoldInterval: time.Hour,
			TimeSource:         clock.System,
		},
	}, log.NewSequencerManager(registry, 0))
	go sequencer.OperationLoop(context.Background())
	listener, err := net.Listen("tcp", *listen)
	if err != nil {
		return err
	}
	return grpcServer.Serve(listener)
}

// deduplicating refuses leaves that the log has, as Trillian's storage in databases does and that in memory does not.
type deduplicating struct {
	storage.LogStorage
	mutex sync.Mutex
	known map[string]*trillian.LogLeaf
}

func (d *deduplicating) QueueLeaves(
	ctx context.Context, tree *trillian.Tree, leaves []*trillian.LogLeaf, at time.Time,
) ([]*trillian.QueuedLogLeaf, error) {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	queued := []*trillian.QueuedLogLeaf{}
	for _, leaf := range leaves {
		name := fmt.Sprintf("%d/%x", tree.TreeId, leaf.LeafIdentityHash)
		if known := d.known[name]; known != nil {
			exists := status.Newf(codes.AlreadyExists, "leaf already exists: %x", leaf.LeafIdentityHash).Proto()
			queued = append(queued, &trillian.QueuedLogLeaf{Leaf: known, Status: exists})
			continue
		}
		added, err := d.LogStorage.QueueLeaves(ctx, tree, []*trillian.LogLeaf{leaf}, at)
		if err != nil {
			return nil, err
		}
		d.known[name] = leaf
		queued = append(queued, added...)
	}
	return queued, nil
}

// serveWitness is the core of omniwitness for one configured log. The stock program also follows lists of public
// logs, which cannot be switched off and are of no use on loopback.
func serveWitness(args []string) error {
	flags := flag.NewFlagSet("witness", flag.ExitOnError)
	listen := flags.String("listen", "", "address")
	keyPath := flags.String("key", "", "signer key")
	logKey := flags.String("log", "", "verifier key of the log")
	_ = flags.Parse(args)
	text, err := os.ReadFile(*keyPath)
	if err != nil {
		return err
	}
	signer, err := f_note.NewSignerForCosignatureV1(strings.TrimSpace(string(text)))
	if err != nil {
		return err
	}
	verifier, err := note.NewVerifier(*logKey)
	if err != nil {
		return err
	}
	core, err := witness.New(context.Background(), witness.Opts{
		Persistence: &checkpoints{latest: map[string][]byte{}},
		Signers:     []note.Signer{signer},
		VerifierForLog: func(_ context.Context, origin string) (note.Verifier, bool, error) {
			return verifier, origin == verifier.Name(), nil
		},
	})
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /add-checkpoint", witness.NewHTTPHandler(core).AddCheckpoint)
	return http.ListenAndServe(*listen, mux)
}

// checkpoints is what a witness remembers, in memory.
type checkpoints struct {
	mutex  sync.Mutex
	latest map[string][]byte
}

func (*checkpoints) Init(context.Context) error { return nil }

func (c *checkpoints) Latest(_ context.Context, origin string) ([]byte, error) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return bytes.Clone(c.latest[origin]), nil
}

func (c *checkpoints) Update(_ context.Context, origin string, next func([]byte) ([]byte, error)) error {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	updated, err := next(c.latest[origin])
	if err == nil {
		c.latest[origin] = updated
	}
	return err
}
