package keypair

import (
	"encoding/pem"
	"errors"
	"strings"

	"github.com/youmark/pkcs8"
)

// decrypt returns the private key of PEM data in PEM, in the clear.
func decrypt(data []byte, field, password string) ([]byte, *Problem) {
	block := pemBlock(data, keyType)
	switch {
	case block == nil:
		return nil, &Problem{Source: field, Text: "has no private key in PEM in it"}
	case block.Headers["DEK-Info"] != "": // RFC 1421 4.6.1.3
		return nil, &Problem{Source: field, Text: "is encrypted in the legacy way of PEM, which is not supported: " +
			"convert it with openssl pkcs8 -topk8"}
	case block.Type != encryptedKeyType && password != "":
		return nil, &Problem{Source: KeyPassword, Text: "has no effect: the key is not encrypted"}
	case block.Type != encryptedKeyType:
		return pem.EncodeToMemory(block), nil
	case password == "":
		return nil, &Problem{Source: field, Text: "is encrypted: needs key_password, too", Missing: true}
	}
	key, err := decryptPKCS8(block.Bytes, password)
	switch {
	case errors.Is(err, errPassword):
		return nil, &Problem{Source: KeyPassword, Text: "is not the password of the key"}
	case err != nil:
		return nil, &Problem{Source: field, Text: err.Error()}
	}
	return encodeKey(key), nil
}

// errPassword is a password that does not open what it should.
var errPassword = errors.New("wrong password")

// decryptPKCS8 opens an EncryptedPrivateKeyInfo (RFC 5958 3).
func decryptPKCS8(der []byte, password string) (key any, err error) {
	defer damaged(&err)
	key, _, err = pkcs8.ParsePrivateKey(der, []byte(password))
	if err == nil {
		return key, nil
	}
	// What the library says itself, it says of the file; what a cipher or a parser says, it says of what
	// a wrong password makes of it.
	if problem, own := strings.CutPrefix(err.Error(), "pkcs8: "); own && problem != "incorrect password" {
		return nil, errors.New("cannot be decrypted: " + problem)
	}
	return nil, errPassword
}

// damaged turns the panic of a cipher over data that has not its length into an error.
func damaged(err *error) {
	if recover() != nil {
		*err = errors.New("is damaged")
	}
}
