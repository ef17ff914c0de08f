package main

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"
)

// tokenLife is how long a token is valid.
const tokenLife = 30 * time.Minute

// The workflow that tokens of the GitHub-shaped issuer speak of. A query parameter of the same name changes a claim.
var workflowClaims = map[string]string{
	"sub":                   "repo:example/widget:ref:refs/heads/main",
	"ref":                   "refs/heads/main",
	"sha":                   "1f3870be274f6c49b3e31a0c6728957f01020304",
	"repository":            "example/widget",
	"repository_id":         "1001",
	"repository_owner":      "example",
	"repository_owner_id":   "2002",
	"repository_visibility": "public",
	"run_id":                "3003",
	"run_attempt":           "1",
	"event_name":            "push",
	"workflow":              "release",
	"workflow_ref":          "example/widget/.github/workflows/release.yml@refs/heads/main",
	"workflow_sha":          "1f3870be274f6c49b3e31a0c6728957f01020304",
	"job_workflow_ref":      "example/widget/.github/workflows/release.yml@refs/heads/main",
	"job_workflow_sha":      "1f3870be274f6c49b3e31a0c6728957f01020304",
	"runner_environment":    "github-hosted",
}

// issuer answers as two OpenID providers: people at the base address, workflows below /github.
type issuer struct {
	base string
	key  *rsa.PrivateKey
	// The bearer token that a workflow must show to be given an identity token.
	secret string
	mutex  sync.Mutex
	// Codes of the authorization flow that were not exchanged yet.
	codes map[string]authorization
}

type authorization struct {
	email, nonce, challenge, redirect string
}

func serveIssuer(args []string) error {
	flags := flag.NewFlagSet("oidc", flag.ExitOnError)
	listen := flags.String("listen", "", "address")
	keyPath := flags.String("key", "", "RSA key")
	secret := flags.String("secret", "", "bearer token of workflows")
	_ = flags.Parse(args)
	key, err := readKey(*keyPath)
	if err != nil {
		return err
	}
	i := &issuer{base: "http://" + *listen, key: key.(*rsa.PrivateKey), secret: *secret, codes: map[string]authorization{}}
	mux := http.NewServeMux()
	for _, prefix := range []string{"", "/github"} {
		mux.HandleFunc("GET "+prefix+"/.well-known/openid-configuration", i.discovery(prefix))
		mux.HandleFunc("GET "+prefix+"/keys", i.keys)
	}
	mux.HandleFunc("GET /mint", i.mint)
	mux.HandleFunc("GET /github/token", i.workflowToken)
	mux.HandleFunc("GET /auth", i.authorize)
	mux.HandleFunc("POST /token", i.exchange)
	return http.ListenAndServe(*listen, mux)
}

func (i *issuer) discovery(prefix string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		issuer := i.base + prefix
		writeJSON(w, map[string]any{
			"issuer":                                issuer,
			"jwks_uri":                              issuer + "/keys",
			"authorization_endpoint":                i.base + "/auth",
			"token_endpoint":                        i.base + "/token",
			"response_types_supported":              []string{"code", "id_token"},
			"subject_types_supported":               []string{"public"},
			"id_token_signing_alg_values_supported": []string{"RS256"},
			"code_challenge_methods_supported":      []string{"S256"},
		})
	}
}

func (i *issuer) keys(w http.ResponseWriter, _ *http.Request) {
	public := i.key.PublicKey
	writeJSON(w, map[string]any{"keys": []any{map[string]any{
		"kty": "RSA", "alg": "RS256", "use": "sig", "kid": "rig",
		"n": encode(public.N.Bytes()), "e": encode(big.NewInt(int64(public.E)).Bytes()),
	}}})
}

// mint gives anyone a token: `?email=…`, and any claim by its name (`?exp_in=-60` makes an expired one).
func (i *issuer) mint(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	email := query.Get("email")
	claims := map[string]any{"iss": i.base, "sub": "person:" + email, "email": email, "email_verified": true}
	for name, values := range query {
		claims[name] = values[0]
	}
	i.answer(w, claims, "")
}

// workflowToken is the endpoint that ACTIONS_ID_TOKEN_REQUEST_URL names.
func (i *issuer) workflowToken(w http.ResponseWriter, r *http.Request) {
	if got := r.Header.Get("Authorization"); !strings.EqualFold(got, "bearer "+i.secret) {
		http.Error(w, "this workflow is not known", http.StatusUnauthorized)
		return
	}
	claims := map[string]any{"iss": i.base + "/github"}
	for name, value := range workflowClaims {
		claims[name] = value
	}
	for name, values := range r.URL.Query() {
		if name == "audience" {
			claims["aud"] = values[0]
		} else if _, known := workflowClaims[name]; known {
			claims[name] = values[0]
		}
	}
	i.answer(w, claims, "value")
}

// authorize is where a browser would show a login page; this one consents at once.
func (i *issuer) authorize(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	email := query.Get("login_hint")
	if email == "" {
		email = "person@private.test"
	}
	if query.Get("code_challenge_method") != "S256" || query.Get("code_challenge") == "" {
		http.Error(w, "S256 is required", http.StatusBadRequest)
		return
	}
	random := make([]byte, 16)
	if _, err := rand.Read(random); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	code, redirect := hex.EncodeToString(random), query.Get("redirect_uri")
	i.mutex.Lock()
	i.codes[code] = authorization{email, query.Get("nonce"), query.Get("code_challenge"), redirect}
	i.mutex.Unlock()
	target, err := url.Parse(redirect)
	if err != nil || target.Host == "" {
		fmt.Fprintln(w, code)
		return
	}
	target.RawQuery = url.Values{"code": {code}, "state": {query.Get("state")}}.Encode()
	http.Redirect(w, r, target.String(), http.StatusFound)
}

func (i *issuer) exchange(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	i.mutex.Lock()
	asked, known := i.codes[r.PostForm.Get("code")]
	delete(i.codes, r.PostForm.Get("code"))
	i.mutex.Unlock()
	digest := sha256.Sum256([]byte(r.PostForm.Get("code_verifier")))
	if !known || encode(digest[:]) != asked.challenge || r.PostForm.Get("redirect_uri") != asked.redirect {
		w.WriteHeader(http.StatusBadRequest)
		writeJSON(w, map[string]string{"error": "invalid_grant"})
		return
	}
	claims := map[string]any{
		"iss": i.base, "sub": "person:" + asked.email, "email": asked.email, "email_verified": true, "nonce": asked.nonce,
	}
	token, err := i.sign(claims)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	writeJSON(w, map[string]any{
		"access_token": "unused", "token_type": "Bearer", "expires_in": int(tokenLife.Seconds()), "id_token": token,
	})
}

// answer writes a token by itself, or as the only member of an object.
func (i *issuer) answer(w http.ResponseWriter, claims map[string]any, member string) {
	token, err := i.sign(claims)
	switch {
	case err != nil:
		http.Error(w, err.Error(), http.StatusInternalServerError)
	case member == "":
		_, _ = io.WriteString(w, token)
	default:
		writeJSON(w, map[string]string{member: token})
	}
}

func (i *issuer) sign(claims map[string]any) (string, error) {
	now := time.Now()
	life := tokenLife
	if text, given := claims["exp_in"].(string); given {
		seconds, err := time.ParseDuration(text + "s")
		if err != nil {
			return "", err
		}
		life = seconds
		delete(claims, "exp_in")
	}
	if _, given := claims["aud"]; !given {
		claims["aud"] = "sigstore"
	}
	claims["iat"], claims["exp"] = now.Unix(), now.Add(life).Unix()
	body, err := json.Marshal(claims)
	if err != nil {
		return "", err
	}
	signed := encode([]byte(`{"alg":"RS256","kid":"rig","typ":"JWT"}`)) + "." + encode(body)
	digest := sha256.Sum256([]byte(signed))
	signature, err := rsa.SignPKCS1v15(rand.Reader, i.key, crypto.SHA256, digest[:])
	if err != nil {
		return "", err
	}
	return signed + "." + encode(signature), nil
}

func encode(bytes []byte) string { return base64.RawURLEncoding.EncodeToString(bytes) }

func writeJSON(w http.ResponseWriter, value any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(value)
}

// printToken asks a running instance for a token.
func printToken(dir, email string) error {
	endpoints, err := readEndpoints(dir)
	if err != nil {
		return err
	}
	answer, err := http.Get(endpoints.OIDC + "/mint?" + url.Values{"email": {email}}.Encode())
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if _, err := io.Copy(os.Stdout, answer.Body); err != nil {
		return err
	}
	fmt.Println()
	return nil
}
