package oidc

import (
	"html/template"
	"net/http"
)

// failed is the page that says why somebody is not signed in; it looks like the console.
var failed = template.Must(template.New("failed").Parse(`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Sign in · scalerd</title>
<link rel="stylesheet" href="/console/style.css">
</head>
<body>
<main class="wide">
<div class="card signin">
<h1>Not signed in</h1>
<p class="banner bad" role="alert">{{.}}</p>
<p><a href="/">Back to the sign-in</a></p>
</div>
</main>
</body>
</html>
`))

func fail(w http.ResponseWriter, status int, err error) {
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	w.WriteHeader(status)
	_ = failed.Execute(w, err.Error()) // a client that is gone is no failure
}
