package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	f_note "github.com/transparency-dev/formats/note"
	"golang.org/x/mod/sumdb/note"
)

const (
	// readyWithin is how long one service may take until it answers.
	readyWithin = 60 * time.Second
	// stopWithin is how long a service may take to end before it is killed.
	stopWithin = 5 * time.Second
	stateName  = "processes.json"
)

// process is one service that an instance started. The start time tells it from a later one with the same number.
type process struct {
	Name    string `json:"name"`
	PID     int    `json:"pid"`
	Started string `json:"started"`
}

// instance is an instance that is being started.
type instance struct {
	dir       string
	bin       string
	processes []process
	// Closed when the service of that name has ended.
	ended map[string]chan struct{}
}

func up(dir string) error {
	i, err := start(dir)
	if err != nil {
		return err
	}
	fmt.Printf("a private Sigstore instance runs; its files are in %s\n", i.dir)
	return nil
}

// runWith starts an instance, runs a command with its folder in the environment, and stops the instance.
func runWith(dir string, command []string) error {
	interrupted := make(chan os.Signal, 1)
	signal.Notify(interrupted, os.Interrupt, syscall.SIGTERM)
	i, err := start(dir)
	if err != nil {
		return err
	}
	child := exec.Command(command[0], command[1:]...)
	child.Env = append(os.Environ(), "TOUCHMARK_TEST_SIGSTORE="+i.dir)
	child.Stdin, child.Stdout, child.Stderr = os.Stdin, os.Stdout, os.Stderr
	if err := child.Start(); err != nil {
		return errors.Join(err, down(i.dir))
	}
	go func() {
		for caught := range interrupted {
			_ = child.Process.Signal(caught)
		}
	}()
	ran := child.Wait()
	return errors.Join(ran, down(i.dir))
}

// start starts every service, waits until each answers, and writes the files of clients.
func start(dir string) (*instance, error) {
	i, err := newInstance(dir)
	if err != nil {
		return nil, err
	}
	if err := i.startServices(); err != nil {
		return nil, errors.Join(err, down(i.dir))
	}
	return i, nil
}

func newInstance(dir string) (*instance, error) {
	absolute, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	if entries, err := os.ReadDir(absolute); err == nil && len(entries) > 0 {
		return nil, fmt.Errorf("%s is not empty; an instance starts in a folder of its own", absolute)
	}
	for _, folder := range []string{"keys", "logs", "home", "rekor2", "ct", "tuf"} {
		if err := os.MkdirAll(filepath.Join(absolute, folder), 0o755); err != nil {
			return nil, err
		}
	}
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return &instance{dir: absolute, bin: filepath.Dir(program), ended: map[string]chan struct{}{}}, nil
}

func (i *instance) path(parts ...string) string {
	return filepath.Join(append([]string{i.dir}, parts...)...)
}

func (i *instance) startServices() error {
	keys, err := newMaterial(i.path("keys"))
	if err != nil {
		return err
	}
	ports, err := freePorts(14)
	if err != nil {
		return err
	}
	next := func() int { port := ports[0]; ports = ports[1:]; return port }
	address := func(port int) string { return "127.0.0.1:" + strconv.Itoa(port) }
	url := func(port int) string { return "http://" + address(port) }
	key := func(name string) string { return i.path("keys", name) }

	secret := make([]byte, 16)
	if _, err := rand.Read(secret); err != nil {
		return err
	}
	oidc, files, tiles, tsaPort, trillian, witness := next(), next(), next(), next(), next(), next()
	fulcio, fulcioGRPC, fulcioMetrics := next(), next(), next()
	rekor2, rekor2GRPC, rekor2Metrics := next(), next(), next()
	rekor1, ct := next(), next()
	e := &endpoints{
		OIDC: url(oidc), GitHubIssuer: url(oidc) + "/github", GitHubTokenURL: url(oidc) + "/github/token?run=1",
		GitHubTokenSecret: fmt.Sprintf("%x", secret), Fulcio: url(fulcio), CTLog: url(ct), CTReads: url(files) + "/ct",
		Rekor1: url(rekor1), Rekor1Origin: rekor1Name, Rekor2: url(tiles), Rekor2Origin: rekor2Name,
		TSA: url(tsaPort) + "/api/v1/timestamp", TUF: url(files) + "/tuf", Witness: url(witness),
	}
	if err := i.writeInputs(keys, e); err != nil {
		return err
	}
	logKey := verifierKey(rekor2Name, keys.rekor2.Public().(ed25519.PublicKey))
	services := []struct {
		name, program string
		// The address that answers with 200 once the service can be used; none means: accepts connections there.
		ready string
		args  []string
	}{
		{"oidc", "rig", e.OIDC + "/keys", []string{"serve", "oidc", "--listen", address(oidc), "--key", key("oidc.key"),
			"--secret", e.GitHubTokenSecret}},
		{"tsa", "rig", url(tsaPort) + "/ping", []string{"serve", "tsa", "--port", strconv.Itoa(tsaPort),
			"--key", key("tsa.key"), "--chain", key("tsa-chain.pem")}},
		{"files", "rig", e.TUF + "/", []string{"serve", "files", "--listen", address(files), "--tuf", i.path("tuf"),
			"--ct", i.path("ct")}},
		{"witness", "rig", address(witness), []string{"serve", "witness", "--listen", address(witness),
			"--key", key("witness.key"), "--log", logKey}},
		{"trillian", "rig", address(trillian), []string{"serve", "trillian", "--listen", address(trillian)}},
		{"ct", "tesseract", e.CTLog + "/ct/v1/get-roots", []string{"--http_endpoint", address(ct), "--origin", ctName,
			"--storage_dir", i.path("ct"), "--private_key", key("ct.key"), "--roots_pem_file", key("fulcio-root.pem"),
			"--ext_key_usages", "CodeSigning", "--checkpoint_interval", "500ms", "--batch_max_age", "50ms"}},
		{"fulcio", "fulcio", e.Fulcio + "/healthz", []string{"serve", "--host", "127.0.0.1",
			"--port", strconv.Itoa(fulcio), "--grpc-host", "127.0.0.1", "--grpc-port", strconv.Itoa(fulcioGRPC),
			"--metrics-port", strconv.Itoa(fulcioMetrics), "--legacy-unix-domain-socket", i.path("fulcio.sock"),
			"--config-path", i.path("fulcio.yaml"), "--ca", "fileca", "--fileca-cert", key("fulcio-chain.pem"),
			"--fileca-key", key("fulcio.key"), "--fileca-key-passwd", "none", "--fileca-watch=false",
			"--ct-log-url", e.CTLog, "--ct-log-origin", ctName, "--ct-log-public-key-path", key("ct.pub")}},
		{"rekor2", "rekor-tiles", url(rekor2) + "/healthz", []string{"serve", "--http-address", "127.0.0.1",
			"--http-port", strconv.Itoa(rekor2), "--grpc-address", "127.0.0.1", "--grpc-port", strconv.Itoa(rekor2GRPC),
			"--http-metrics-port", strconv.Itoa(rekor2Metrics), "--hostname", rekor2Name, "--storage-dir", i.path("rekor2"),
			"--signer-filepath", key("rekor2.key"), "--checkpoint-interval", "500ms", "--batch-max-age", "50ms",
			"--persistent-antispam=true", "--witness-policy-path", i.path("witness-policy")}},
		{"tiles", "rig", e.Rekor2 + "/healthz", []string{"serve", "tiles", "--listen", address(tiles),
			"--storage", i.path("rekor2"), "--upstream", url(rekor2)}},
		{"rekor1", "rekor-server", e.Rekor1 + "/api/v1/log", []string{"serve", "--rekor_server.address", "127.0.0.1",
			"--port", strconv.Itoa(rekor1), "--rekor_server.hostname", rekor1Name, "--rekor_server.signer", key("rekor1.key"),
			"--trillian_log_server.address", "127.0.0.1", "--trillian_log_server.port", strconv.Itoa(trillian),
			"--enable_retrieve_api=false", "--enabled_api_endpoints", "getLogInfo,getPublicKey,getLogProof,createLogEntry," +
				"getLogEntryByIndex,getLogEntryByUUID,searchLogQuery"}},
	}
	for _, service := range services {
		if err := i.launch(service.name, service.program, service.args); err != nil {
			return fmt.Errorf("%s does not start: %w", service.name, err)
		}
		if err := i.await(service.name, service.ready); err != nil {
			return err
		}
	}
	return keys.writeDocuments(i.dir, e)
}

// writeInputs writes what services read at their start besides keys.
func (i *instance) writeInputs(keys *material, e *endpoints) error {
	private, public, err := note.GenerateKey(rand.Reader, "witness.private.test")
	if err != nil {
		return err
	}
	if e.WitnessKey, err = f_note.VKeyToCosignatureV1(public); err != nil {
		return err
	}
	logKey := verifierKey(rekor2Name, keys.rekor2.Public().(ed25519.PublicKey))
	e.WitnessPolicy = fmt.Sprintf("log %s %s\nwitness w1 %s %s\nquorum w1\n", logKey, e.Rekor2, e.WitnessKey, e.Witness)
	if err := os.WriteFile(i.path("keys", "witness.key"), []byte(private+"\n"), 0o600); err != nil {
		return err
	}
	if err := os.WriteFile(i.path("witness-policy"), []byte(e.WitnessPolicy), 0o644); err != nil {
		return err
	}
	config, err := json.MarshalIndent(fulcioConfig(e), "", "  ")
	if err != nil {
		return err
	}
	// The comment keeps Fulcio from reading this as JSON, for which its keys have other names.
	return os.WriteFile(i.path("fulcio.yaml"), append([]byte("# YAML\n"), config...), 0o644)
}

// fulcioConfig accepts people of the first issuer and workflows of the second, with the certificate extensions that
// the public instance gives to GitHub's workflows.
func fulcioConfig(e *endpoints) object {
	return object{
		"oidc-issuers": object{
			e.OIDC:         object{"issuer-url": e.OIDC, "client-id": "sigstore", "type": "email"},
			e.GitHubIssuer: object{"issuer-url": e.GitHubIssuer, "client-id": "sigstore", "type": "ci-provider", "ci-provider": "github-workflow"},
		},
		"ci-issuer-metadata": object{"github-workflow": object{
			"default-template-values": object{"url": "https://github.com", "environment": ""},
			"extension-templates": object{
				"github-workflow-trigger":                 "event_name",
				"github-workflow-sha":                     "sha",
				"github-workflow-name":                    "workflow",
				"github-workflow-repository":              "repository",
				"github-workflow-ref":                     "ref",
				"build-signer-uri":                        "{{ .url }}/{{ .job_workflow_ref }}",
				"build-signer-digest":                     "job_workflow_sha",
				"runner-environment":                      "runner_environment",
				"source-repository-uri":                   "{{ .url }}/{{ .repository }}",
				"source-repository-digest":                "sha",
				"source-repository-ref":                   "ref",
				"source-repository-identifier":            "repository_id",
				"source-repository-owner-uri":             "{{ .url }}/{{ .repository_owner }}",
				"source-repository-owner-identifier":      "repository_owner_id",
				"build-config-uri":                        "{{ .url }}/{{ .workflow_ref }}",
				"build-config-digest":                     "workflow_sha",
				"build-trigger":                           "event_name",
				"run-invocation-uri":                      "{{ .url }}/{{ .repository }}/actions/runs/{{ .run_id }}/attempts/{{ .run_attempt }}",
				"source-repository-visibility-at-signing": "repository_visibility",
				"deployment-environment":                  "environment",
			},
			"subject-alternative-name-template": "{{ .url }}/{{ .job_workflow_ref }}",
		}},
	}
}

// launch starts a service with an environment of its own and its output in a log file.
func (i *instance) launch(name, program string, args []string) error {
	output, err := os.Create(i.path("logs", name+".log"))
	if err != nil {
		return err
	}
	defer output.Close()
	command := exec.Command(filepath.Join(i.bin, program), args...)
	command.Env = []string{"HOME=" + i.path("home"), "PATH=" + os.Getenv("PATH"), "GOMEMLIMIT=512MiB", "TZ=UTC"}
	command.Dir = i.path("home")
	command.Stdout, command.Stderr = output, output
	// A session of its own: it outlives `up`, and an interrupt at the terminal does not reach it.
	command.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := command.Start(); err != nil {
		return err
	}
	ended := make(chan struct{})
	i.ended[name] = ended
	go func() {
		_ = command.Wait()
		close(ended)
	}()
	started, _ := startTime(command.Process.Pid)
	i.processes = append(i.processes, process{name, command.Process.Pid, started})
	return writeDocument(i.path(stateName), i.processes)
}

// await polls a service until it answers, ends, or the time is over.
func (i *instance) await(name, ready string) error {
	client := &http.Client{Timeout: 2 * time.Second}
	for deadline := time.Now().Add(readyWithin); time.Now().Before(deadline); {
		select {
		case <-i.ended[name]:
			return fmt.Errorf("%s ended while it started: %s", name, i.lastWords(name))
		case <-time.After(50 * time.Millisecond):
		}
		if !strings.Contains(ready, "/") {
			if connection, err := net.DialTimeout("tcp", ready, time.Second); err == nil {
				return connection.Close()
			}
			continue
		}
		if answer, err := client.Get(ready); err == nil {
			_, _ = io.Copy(io.Discard, answer.Body)
			_ = answer.Body.Close()
			if answer.StatusCode == http.StatusOK {
				return nil
			}
		}
	}
	return fmt.Errorf("%s does not answer within %s: %s", name, readyWithin, i.lastWords(name))
}

func (i *instance) lastWords(name string) string {
	text, _ := os.ReadFile(i.path("logs", name+".log"))
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return fmt.Sprintf("%q (%s)", lines[len(lines)-1], i.path("logs", name+".log"))
}

// down stops the services of an instance, the last one first, and no other process.
func down(dir string) error {
	text, err := os.ReadFile(filepath.Join(dir, stateName))
	if err != nil {
		return fmt.Errorf("no instance was started in %s", dir)
	}
	var processes []process
	if err := json.Unmarshal(text, &processes); err != nil {
		return err
	}
	for at := len(processes) - 1; at >= 0; at-- {
		processes[at].stop()
	}
	return os.Remove(filepath.Join(dir, stateName))
}

func (p process) stop() {
	for _, how := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL} {
		if !p.runs() || syscall.Kill(p.PID, how) != nil {
			return
		}
		for deadline := time.Now().Add(stopWithin); time.Now().Before(deadline) && p.runs(); {
			time.Sleep(20 * time.Millisecond)
		}
	}
}

func (p process) runs() bool {
	started, alive := startTime(p.PID)
	return alive && started == p.Started
}

// startTime reads when a process was started, in ticks since the machine was. A process that has ended and only
// waits for its parent counts as gone.
func startTime(pid int) (string, bool) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return "", false
	}
	// The second field is a name in parentheses that may hold anything.
	fields := bytes.Fields(text[bytes.LastIndexByte(text, ')')+1:])
	return string(fields[19]), fields[0][0] != 'Z'
}

// freePorts finds ports below the range from which systems take those of outgoing connections, so that none is
// taken between this search and the service's start.
func freePorts(count int) ([]int, error) {
	const first, last = 20000, 32000
	var offset [2]byte
	if _, err := rand.Read(offset[:]); err != nil {
		return nil, err
	}
	begin := int(offset[0])<<8 | int(offset[1])
	found := []int{}
	for step := 0; step < last-first && len(found) < count; step++ {
		port := first + (begin+step)%(last-first)
		// On every interface, because some services listen there for their metrics.
		if listener, err := net.Listen("tcp", ":"+strconv.Itoa(port)); err == nil {
			_ = listener.Close()
			found = append(found, port)
		}
	}
	if len(found) < count {
		return nil, errors.New("there are not enough free ports")
	}
	return found, nil
}
