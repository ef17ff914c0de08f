// Command client signs and verifies with sigstore-go, for tests that hold this project against it.
package main

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	_ "crypto/sha256" // the hashes that keys are used with
	_ "crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"flag"
	"fmt"
	"os"
	"time"

	protocommon "github.com/sigstore/protobuf-specs/gen/pb-go/common/v1"
	"github.com/sigstore/sigstore-go/pkg/bundle"
	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore-go/pkg/sign"
	"github.com/sigstore/sigstore-go/pkg/verify"
	"github.com/sigstore/sigstore/pkg/signature"
	"google.golang.org/protobuf/encoding/protojson"
)

func main() {
	err := errors.New("usage: client sign|verify FLAGS FILE")
	if len(os.Args) > 2 {
		switch os.Args[1] {
		case "sign":
			err = signFile(os.Args[2:])
		case "verify":
			err = verifyFile(os.Args[2:])
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func signFile(args []string) error {
	flags := flag.NewFlagSet("sign", flag.ExitOnError)
	configPath := flags.String("signing-config", "", "signing config")
	rootPath := flags.String("trusted-root", "", "trusted root; the new bundle is verified against it")
	token := flags.String("identity-token", "", "identity token; without it, --key")
	keyPath := flags.String("key", "", "ECDSA key, PKCS#8 PEM")
	statement := flags.Bool("in-toto", false, "the file is an in-toto statement")
	out := flags.String("bundle", "", "where the bundle goes")
	_ = flags.Parse(args)
	data, err := os.ReadFile(flags.Arg(0))
	if err != nil {
		return err
	}
	var content sign.Content = &sign.PlainData{Data: data}
	if *statement {
		content = &sign.DSSEData{Data: data, PayloadType: "application/vnd.in-toto+json"}
	}
	config, err := root.NewSigningConfigFromPath(*configPath)
	if err != nil {
		return err
	}
	trusted, err := root.NewTrustedRootFromPath(*rootPath)
	if err != nil {
		return err
	}
	options := sign.BundleOptions{TrustedRoot: trusted}
	pair, err := newKeypair(*keyPath)
	if err != nil {
		return err
	}
	now := time.Now()
	if *token != "" {
		fulcio, err := root.SelectService(config.FulcioCertificateAuthorityURLs(), sign.FulcioAPIVersions, now)
		if err != nil {
			return err
		}
		options.CertificateProvider = sign.NewFulcio(&sign.FulcioOptions{BaseURL: fulcio.URL, Timeout: 30 * time.Second})
		options.CertificateProviderOptions = &sign.CertificateProviderOptions{IDToken: *token}
	} else {
		options.TrustedRoot = withKey(trusted, pair.GetPublicKey())
	}
	if len(config.TimestampAuthorityURLs()) > 0 {
		authorities, err := root.SelectServices(config.TimestampAuthorityURLs(), config.TimestampAuthorityURLsConfig(),
			sign.TimestampAuthorityAPIVersions, now)
		if err != nil {
			return err
		}
		for _, authority := range authorities {
			options.TimestampAuthorities = append(options.TimestampAuthorities, sign.NewTimestampAuthority(
				&sign.TimestampAuthorityOptions{URL: authority.URL, Timeout: 30 * time.Second}))
		}
	}
	logs, err := root.SelectServices(config.RekorLogURLs(), config.RekorLogURLsConfig(), sign.RekorAPIVersions, now)
	if err != nil {
		return err
	}
	for _, log := range logs {
		options.TransparencyLogs = append(options.TransparencyLogs, sign.NewRekor(
			&sign.RekorOptions{BaseURL: log.URL, Timeout: 90 * time.Second, Version: log.MajorAPIVersion}))
	}
	signed, err := sign.Bundle(content, pair, options)
	if err != nil {
		return err
	}
	text, err := protojson.Marshal(signed)
	if err != nil {
		return err
	}
	return os.WriteFile(*out, text, 0o644)
}

func verifyFile(args []string) error {
	flags := flag.NewFlagSet("verify", flag.ExitOnError)
	bundlePath := flags.String("bundle", "", "bundle")
	rootPath := flags.String("trusted-root", "", "trusted root")
	identity := flags.String("certificate-identity", "", "expected subject alternative name")
	issuer := flags.String("certificate-oidc-issuer", "", "expected issuer")
	keyPath := flags.String("key", "", "expected public key, PEM")
	_ = flags.Parse(args)
	signed, err := bundle.LoadJSONFromPath(*bundlePath)
	if err != nil {
		return err
	}
	trusted, err := root.NewTrustedRootFromPath(*rootPath)
	if err != nil {
		return err
	}
	material := root.TrustedMaterial(trusted)
	options := []verify.VerifierOption{verify.WithTransparencyLog(1)}
	var who verify.PolicyOption
	if *keyPath == "" {
		expected, err := verify.NewShortCertificateIdentity(*issuer, "", *identity, "")
		if err != nil {
			return err
		}
		who = verify.WithCertificateIdentity(expected)
		options = append(options, verify.WithObserverTimestamps(1), verify.WithSignedCertificateTimestamps(1))
	} else {
		public, err := readPublic(*keyPath)
		if err != nil {
			return err
		}
		who = verify.WithKey()
		material = withKey(trusted, public)
		options = append(options, verify.WithNoObserverTimestamps())
	}
	verifier, err := verify.NewVerifier(material, options...)
	if err != nil {
		return err
	}
	artifact, err := os.Open(flags.Arg(0))
	if err != nil {
		return err
	}
	defer artifact.Close()
	_, err = verifier.Verify(signed, verify.NewPolicy(verify.WithArtifact(artifact), who))
	return err
}

// keyedMaterial is a trusted root together with one key that is trusted under whatever name a bundle gives it.
type keyedMaterial struct {
	root.TrustedMaterial
	keys root.TrustedMaterial
}

func (m *keyedMaterial) PublicKeyVerifier(hint string) (root.TimeConstrainedVerifier, error) {
	return m.keys.PublicKeyVerifier(hint)
}

func withKey(trusted root.TrustedMaterial, public crypto.PublicKey) root.TrustedMaterial {
	keys := root.NewTrustedPublicKeyMaterial(func(string) (root.TimeConstrainedVerifier, error) {
		verifier, err := signature.LoadDefaultVerifier(public)
		if err != nil {
			return nil, err
		}
		return root.NewExpiringKey(verifier, time.Time{}, time.Time{}), nil
	})
	return &keyedMaterial{trusted, keys}
}

// keypair is an ECDSA key as sigstore-go wants to be given one.
type keypair struct {
	key     *ecdsa.PrivateKey
	details signature.AlgorithmDetails
}

// newKeypair reads a key, or makes one that lives as long as this program.
func newKeypair(path string) (*keypair, error) {
	if path == "" {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			return nil, err
		}
		return withDetails(key)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, fmt.Errorf("%s is not PEM", path)
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, err
	}
	curve, known := key.(*ecdsa.PrivateKey)
	if !known {
		return nil, fmt.Errorf("%s is not an ECDSA key", path)
	}
	return withDetails(curve)
}

func withDetails(key *ecdsa.PrivateKey) (*keypair, error) {
	details, err := signature.GetDefaultAlgorithmDetails(key.Public())
	return &keypair{key, details}, err
}

func (k *keypair) GetHashAlgorithm() protocommon.HashAlgorithm { return k.details.GetProtoHashType() }

func (k *keypair) GetSigningAlgorithm() protocommon.PublicKeyDetails {
	return k.details.GetSignatureAlgorithm()
}

func (k *keypair) GetHint() []byte {
	der, err := x509.MarshalPKIXPublicKey(k.key.Public())
	if err != nil {
		return nil
	}
	hash := crypto.SHA256.New()
	hash.Write(der)
	return []byte(base64.StdEncoding.EncodeToString(hash.Sum(nil)))
}

func (k *keypair) GetKeyAlgorithm() string { return "ECDSA" }

func (k *keypair) GetPublicKey() crypto.PublicKey { return k.key.Public() }

func (k *keypair) GetPublicKeyPem() (string, error) {
	der, err := x509.MarshalPKIXPublicKey(k.key.Public())
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})), err
}

func (k *keypair) SignData(_ context.Context, data []byte) ([]byte, []byte, error) {
	hash := k.details.GetHashType().New()
	hash.Write(data)
	digest := hash.Sum(nil)
	signed, err := k.key.Sign(rand.Reader, digest, k.details.GetHashType())
	return signed, digest, err
}

func readPublic(path string) (crypto.PublicKey, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, fmt.Errorf("%s is not PEM", path)
	}
	return x509.ParsePKIXPublicKey(block.Bytes)
}
