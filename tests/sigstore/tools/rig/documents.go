package main

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/sigstore/sigstore/pkg/signature"
	"github.com/theupdateframework/go-tuf/v2/metadata"
)

const (
	organisation = "private.test"
	// The logs' own names. The checkpoints bear them, and the trusted root's base URLs hold nothing but them,
	// because clients derive the one from the other.
	rekor1Name = "rekor1.private.test"
	rekor2Name = "rekor2.private.test"
	ctName     = "ct.private.test"
)

type object = map[string]any

// endpoints is what endpoints.json holds: where each service of a running instance is.
type endpoints struct {
	OIDC         string `json:"oidc"`
	GitHubIssuer string `json:"githubIssuer"`
	// The values of ACTIONS_ID_TOKEN_REQUEST_URL and ACTIONS_ID_TOKEN_REQUEST_TOKEN.
	GitHubTokenURL    string `json:"githubTokenUrl"`
	GitHubTokenSecret string `json:"githubTokenSecret"`
	Fulcio            string `json:"fulcio"`
	CTLog             string `json:"ctLog"`
	CTReads           string `json:"ctReads"`
	Rekor1            string `json:"rekor1"`
	Rekor1Origin      string `json:"rekor1Name"`
	// Entries and reads of Rekor v2, as one address.
	Rekor2        string `json:"rekor2"`
	Rekor2Origin  string `json:"rekor2Name"`
	TSA           string `json:"tsa"`
	TUF           string `json:"tuf"`
	Witness       string `json:"witness"`
	WitnessKey    string `json:"witnessKey"`
	WitnessPolicy string `json:"witnessPolicy"`
}

func readEndpoints(dir string) (*endpoints, error) {
	text, err := os.ReadFile(filepath.Join(dir, "endpoints.json"))
	if err != nil {
		return nil, err
	}
	found := &endpoints{}
	return found, json.Unmarshal(text, found)
}

func writeDocument(path string, value any) error {
	text, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(text, '\n'), 0o644)
}

// trustedRoot describes the instance to verifiers.
func (m *material) trustedRoot(e *endpoints) (object, error) {
	ct, err := m.log("https://"+ctName, m.ctLog.Public(), "PKIX_ECDSA_P256_SHA_256")
	if err != nil {
		return nil, err
	}
	rekor1, err := m.log("https://"+rekor1Name, m.rekor1.Public(), "PKIX_ECDSA_P256_SHA_256")
	if err != nil {
		return nil, err
	}
	rekor2, err := m.log("https://"+rekor2Name, m.rekor2.Public(), "PKIX_ED25519")
	if err != nil {
		return nil, err
	}
	// The identifier of a log on tiles is the whole key hash of which a signed note has the first four bytes.
	id := sha256.Sum256(noteKey(rekor2Name, m.rekor2.Public().(ed25519.PublicKey)))
	rekor2["logId"] = object{"keyId": base64.StdEncoding.EncodeToString(id[:])}
	return object{
		"mediaType":              "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
		"tlogs":                  []object{rekor2, rekor1},
		"ctlogs":                 []object{ct},
		"certificateAuthorities": []object{m.certificateAuthority(e.Fulcio, m.fulcioChain)},
		"timestampAuthorities":   []object{m.certificateAuthority(e.TSA, m.tsaChain)},
	}, nil
}

func (m *material) log(url string, key crypto.PublicKey, details string) (object, error) {
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		return nil, err
	}
	id := sha256.Sum256(der)
	return object{
		"baseUrl":       url,
		"hashAlgorithm": "SHA2_256",
		"publicKey": object{
			"rawBytes":   base64.StdEncoding.EncodeToString(der),
			"keyDetails": details,
			"validFor":   object{"start": m.notBefore().Format(time.RFC3339)},
		},
		"logId": object{"keyId": base64.StdEncoding.EncodeToString(id[:])},
	}, nil
}

func (m *material) certificateAuthority(url string, chain []*x509.Certificate) object {
	certificates := []object{}
	for _, certificate := range chain {
		certificates = append(certificates, object{"rawBytes": base64.StdEncoding.EncodeToString(certificate.Raw)})
	}
	root := chain[len(chain)-1]
	return object{
		"subject":   object{"organization": organisation, "commonName": root.Subject.CommonName},
		"uri":       url,
		"certChain": object{"certificates": certificates},
		"validFor":  object{"start": m.notBefore().Format(time.RFC3339)},
	}
}

// signingConfig names the services to sign with: those logs, and the timestamp authority if asked for.
func (m *material) signingConfig(e *endpoints, logs []object, selector string, timestamps bool) object {
	config := object{
		"mediaType":       "application/vnd.dev.sigstore.signingconfig.v0.2+json",
		"caUrls":          []object{m.service(e.Fulcio, 1, organisation)},
		"oidcUrls":        []object{m.service(e.OIDC, 1, organisation)},
		"rekorTlogUrls":   logs,
		"rekorTlogConfig": object{"selector": selector},
		"tsaUrls":         []object{},
		"tsaConfig":       object{"selector": "ANY"},
	}
	if timestamps {
		config["tsaUrls"] = []object{m.service(e.TSA, 1, organisation)}
	}
	return config
}

func (m *material) service(url string, version int, operator string) object {
	return object{
		"url": url, "majorApiVersion": version, "operator": operator,
		"validFor": object{"start": m.notBefore().Format(time.RFC3339)},
	}
}

// writeDocuments writes every file that a client of the instance reads.
func (m *material) writeDocuments(dir string, e *endpoints) error {
	root, err := m.trustedRoot(e)
	if err != nil {
		return err
	}
	rekor1 := m.service(e.Rekor1, 1, "rekor1."+organisation)
	rekor2 := m.service(e.Rekor2, 2, organisation)
	standard := m.signingConfig(e, []object{rekor2}, "ANY", true)
	documents := map[string]any{
		"endpoints.json":                     e,
		"trusted_root.json":                  root,
		"signing_config.json":                standard,
		"signing_config.rekor1.json":         m.signingConfig(e, []object{rekor1}, "ANY", true),
		"signing_config.rekor1-promise.json": m.signingConfig(e, []object{rekor1}, "ANY", false),
		"signing_config.both.json":           m.signingConfig(e, []object{rekor2, rekor1}, "ALL", true),
	}
	for _, name := range []string{"", ".rekor1"} {
		documents["client_trust_config"+name+".json"] = object{
			"mediaType":     "application/vnd.dev.sigstore.clienttrustconfig.v0.1+json",
			"trustedRoot":   root,
			"signingConfig": documents["signing_config"+name+".json"],
		}
	}
	for name, document := range documents {
		if err := writeDocument(filepath.Join(dir, name), document); err != nil {
			return err
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "witness-policy"), []byte(e.WitnessPolicy), 0o644); err != nil {
		return err
	}
	return writeRepository(dir, filepath.Join(dir, "tuf"))
}

// writeRepository makes a TUF repository of the trusted root and the signing config.
func writeRepository(dir, repository string) error {
	if err := os.MkdirAll(filepath.Join(repository, "targets"), 0o755); err != nil {
		return err
	}
	expires := time.Now().UTC().Add(7 * 24 * time.Hour).Truncate(time.Second)
	targets := metadata.Targets(expires)
	for name, file := range map[string]string{
		"trusted_root.json":        "trusted_root.json",
		"signing_config.v0.2.json": "signing_config.json",
	} {
		text, err := os.ReadFile(filepath.Join(dir, file))
		if err != nil {
			return err
		}
		info, err := metadata.TargetFile().FromBytes(name, text, "sha256")
		if err != nil {
			return err
		}
		targets.Signed.Targets[name] = info
		digest := sha256.Sum256(text)
		published := filepath.Join(repository, "targets", hex.EncodeToString(digest[:])+"."+name)
		if err := os.WriteFile(published, text, 0o644); err != nil {
			return err
		}
	}
	root, snapshot, timestamp := metadata.Root(expires), metadata.Snapshot(expires), metadata.Timestamp(expires)
	signers := map[string]signature.Signer{}
	for _, role := range []string{"root", "targets", "snapshot", "timestamp"} {
		_, private, err := ed25519.GenerateKey(rand.Reader)
		if err != nil {
			return err
		}
		key, err := metadata.KeyFromPublicKey(private.Public())
		if err != nil {
			return err
		}
		if err := root.Signed.AddKey(key, role); err != nil {
			return err
		}
		if signers[role], err = signature.LoadSigner(private, crypto.Hash(0)); err != nil {
			return err
		}
	}
	type signable interface {
		Sign(signature.Signer) (*metadata.Signature, error)
		ToFile(string, bool) error
	}
	for _, file := range []struct {
		role, name string
		value      signable
	}{
		{"root", "1.root.json", root},
		{"targets", "1.targets.json", targets},
		{"snapshot", "1.snapshot.json", snapshot},
		{"timestamp", "timestamp.json", timestamp},
	} {
		if _, err := file.value.Sign(signers[file.role]); err != nil {
			return err
		}
		if err := file.value.ToFile(filepath.Join(repository, file.name), true); err != nil {
			return err
		}
	}
	return nil
}

// noteKey is what a signed note's key hash is over: the name, the algorithm and the key.
func noteKey(name string, key ed25519.PublicKey) []byte {
	return append([]byte(name+"\n\x01"), key...)
}

// verifierKey is a log's key as signed notes write it.
func verifierKey(name string, key ed25519.PublicKey) string {
	hash := sha256.Sum256(noteKey(name, key))
	text := base64.StdEncoding.EncodeToString(append([]byte{1}, key...))
	return fmt.Sprintf("%s+%x+%s", name, hash[:4], text)
}
