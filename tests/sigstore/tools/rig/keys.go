package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"time"
)

// material is every key and certificate of one instance. All of it is made anew at each start.
type material struct {
	fulcioChain []*x509.Certificate // the issuing authority first, the root last
	tsaChain    []*x509.Certificate // the authority's own certificate first, the root last
	ctLog       crypto.Signer
	rekor1      crypto.Signer
	rekor2      ed25519.PrivateKey
	made        time.Time
}

// notBefore leaves room for a clock that is a little behind.
func (m *material) notBefore() time.Time { return m.made.Add(-24 * time.Hour) }

func (m *material) notAfter() time.Time { return m.made.Add(10 * 365 * 24 * time.Hour) }

// newMaterial makes the keys and writes what the services read to dir.
func newMaterial(dir string) (*material, error) {
	m := &material{made: time.Now().UTC().Truncate(time.Second)}
	steps := []func(string) error{m.makeFulcio, m.makeTSA, m.makeLogs}
	for _, step := range steps {
		if err := step(dir); err != nil {
			return nil, err
		}
	}
	return m, nil
}

func (m *material) makeFulcio(dir string) error {
	rootKey, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		return err
	}
	issuingKey, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		return err
	}
	root := m.authority("fulcio-root", 1)
	issuing := m.authority("fulcio-intermediate", 0)
	issuing.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning}
	rootCertificate, err := certify(root, root, rootKey.Public(), rootKey)
	if err != nil {
		return err
	}
	issuingCertificate, err := certify(issuing, rootCertificate, issuingKey.Public(), rootKey)
	if err != nil {
		return err
	}
	m.fulcioChain = []*x509.Certificate{issuingCertificate, rootCertificate}
	if err := writeCertificates(filepath.Join(dir, "fulcio-chain.pem"), m.fulcioChain); err != nil {
		return err
	}
	if err := writeCertificates(filepath.Join(dir, "fulcio-root.pem"), m.fulcioChain[1:]); err != nil {
		return err
	}
	return writeKey(filepath.Join(dir, "fulcio.key"), issuingKey)
}

func (m *material) makeTSA(dir string) error {
	rootKey, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		return err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	root := m.authority("tsa-root", 0)
	rootCertificate, err := certify(root, root, rootKey.Public(), rootKey)
	if err != nil {
		return err
	}
	leaf := m.authority("tsa", -1)
	leaf.IsCA, leaf.MaxPathLen, leaf.MaxPathLenZero = false, 0, false
	leaf.KeyUsage = x509.KeyUsageDigitalSignature
	// RFC 3161 wants this extension to be critical, which the standard library's field does not do.
	usage, err := asn1.Marshal([]asn1.ObjectIdentifier{{1, 3, 6, 1, 5, 5, 7, 3, 8}})
	if err != nil {
		return err
	}
	leaf.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 37}, Critical: true, Value: usage}}
	leafCertificate, err := certify(leaf, rootCertificate, key.Public(), rootKey)
	if err != nil {
		return err
	}
	m.tsaChain = []*x509.Certificate{leafCertificate, rootCertificate}
	if err := writeCertificates(filepath.Join(dir, "tsa-chain.pem"), m.tsaChain); err != nil {
		return err
	}
	return writeKey(filepath.Join(dir, "tsa.key"), key)
}

func (m *material) makeLogs(dir string) error {
	ct, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	rekor1, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	_, rekor2, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return err
	}
	m.ctLog, m.rekor1, m.rekor2 = ct, rekor1, rekor2
	for name, key := range map[string]crypto.Signer{"ct": ct, "rekor1": rekor1, "rekor2": rekor2} {
		if err := writeKey(filepath.Join(dir, name+".key"), key); err != nil {
			return err
		}
		if err := writePublic(filepath.Join(dir, name+".pub"), key.Public()); err != nil {
			return err
		}
	}
	// TesseraCT reads SEC 1 keys only.
	der, err := x509.MarshalECPrivateKey(ct)
	if err != nil {
		return err
	}
	sec1 := pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der})
	if err := os.WriteFile(filepath.Join(dir, "ct.key"), sec1, 0o600); err != nil {
		return err
	}
	issuer, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return err
	}
	return writeKey(filepath.Join(dir, "oidc.key"), issuer)
}

func (m *material) authority(name string, pathLength int) *x509.Certificate {
	return &x509.Certificate{
		Subject:               pkix.Name{Organization: []string{organisation}, CommonName: name},
		NotBefore:             m.notBefore(),
		NotAfter:              m.notAfter(),
		IsCA:                  true,
		BasicConstraintsValid: true,
		MaxPathLen:            pathLength,
		MaxPathLenZero:        pathLength == 0,
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
}

func certify(template, parent *x509.Certificate, public crypto.PublicKey, signer crypto.Signer) (*x509.Certificate, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 159))
	if err != nil {
		return nil, err
	}
	template.SerialNumber = serial
	der, err := x509.CreateCertificate(rand.Reader, template, parent, public, signer)
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}

func writeCertificates(path string, certificates []*x509.Certificate) error {
	var text []byte
	for _, certificate := range certificates {
		text = append(text, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Raw})...)
	}
	return os.WriteFile(path, text, 0o644)
}

func writeKey(path string, key crypto.Signer) error {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	return os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600)
}

func writePublic(path string, key crypto.PublicKey) error {
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		return err
	}
	return os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), 0o644)
}

func readKey(path string) (crypto.Signer, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(text)
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, err
	}
	return key.(crypto.Signer), nil
}
