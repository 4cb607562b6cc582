package plugin

import (
	"crypto/md5"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
)

// uuid is an identifier that belongs to this creation, the same for the same serial.
func (m *making) uuid() string { return uuidOf(m.typ, fmt.Sprint(m.serial)) }

// hex is an identifier of 17 hexadecimal digits after a prefix, as EC2 has them.
func (m *making) hex(prefix string) string { return hexOf(prefix, m.typ, fmt.Sprint(m.serial)) }

// uuidOf is the identifier that belongs to words, in the form of a version 4 UUID.
func uuidOf(words ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(words, "\x00")))
	sum[6], sum[8] = sum[6]&0x0f|0x40, sum[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", sum[:4], sum[4:6], sum[6:8], sum[8:10], sum[10:16])
}

func hexOf(prefix string, words ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(words, "\x00")))
	return prefix + "0" + hex.EncodeToString(sum[:8])
}

// privateIP is an address that nothing else in the cloud has. It is a loopback
// address, 127.1.0.1 and up, so that what scrapes or drains a simulated machine
// never leaves this one, and a test can serve there what a machine would.
func (m *making) privateIP() string { return address(127, 1, m.serial, 254<<8) }

// publicIP is an address that nothing else in the cloud has, in the range
// 198.18.0.0/15, which is reserved for benchmarks. It comes round after 130,000.
func (m *making) publicIP() string { return address(198, 18, m.serial, 1<<9) }

// address counts the hosts .1 to .254 of as many networks /24 as there are.
func address(a, b byte, serial uint64, networks uint64) string {
	network := serial / 254 % networks
	return fmt.Sprintf("%d.%d.%d.%d", a, uint64(b)+network>>8, network&0xff, serial%254+1)
}

// mac is a locally administered hardware address.
func (m *making) mac() string {
	return fmt.Sprintf("fa:16:3e:%02x:%02x:%02x", byte(m.serial>>16), byte(m.serial>>8), byte(m.serial))
}

// fingerprint is the MD5 fingerprint of an SSH public key, with colons.
func fingerprint(publicKey string) string {
	blob := []byte(publicKey)
	if fields := strings.Fields(publicKey); len(fields) > 1 {
		if decoded, err := base64.StdEncoding.DecodeString(fields[1]); err == nil {
			blob = decoded
		}
	}
	sum := md5.Sum(blob)
	parts := make([]string, len(sum))
	for i, b := range sum {
		parts[i] = hex.EncodeToString([]byte{b})
	}
	return strings.Join(parts, ":")
}
