package scenarios

import "fmt"

// checksum is what cksum(1) prints for a text (POSIX, "cksum"): a CRC whose polynomial is
// that of Ethernet, most significant bit first, over the text and its length.
func checksum(text string) string {
	var crc uint32
	add := func(b byte) { crc = crc<<8 ^ checksums[byte(crc>>24)^b] }
	for i := range len(text) {
		add(text[i])
	}
	for n := len(text); n > 0; n >>= 8 {
		add(byte(n))
	}
	return fmt.Sprintf("%d %d\n", ^crc, len(text))
}

// checksums are those of each byte.
var checksums = func() (table [256]uint32) {
	const polynomial = 0x04C11DB7
	for b := range table {
		crc := uint32(b) << 24
		for range 8 {
			crc = crc<<1 ^ polynomial*(crc>>31)
		}
		table[b] = crc
	}
	return table
}()
