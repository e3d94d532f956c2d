package tundev

import (
	"fmt"
	"runtime"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// What linux/io_uring.h says.
const (
	opRead        = 22          // IORING_OP_READ, since Linux 5.6
	enterGet      = 1           // IORING_ENTER_GETEVENTS
	singleMapping = 1           // IORING_FEAT_SINGLE_MMAP, since Linux 5.4
	offsetQueues  = 0           // IORING_OFF_SQ_RING
	offsetEntries = 0x1000_0000 // IORING_OFF_SQES
)

type (
	// parameters is struct io_uring_params.
	parameters struct {
		submissions, completions, flags, cpu, idle, features, workers uint32
		_                                                             [3]uint32
		submission                                                    submissionOffsets
		completion                                                    completionOffsets
	}
	submissionOffsets struct {
		head, tail, mask, entries, flags, dropped, array, _ uint32
		_                                                   uint64
	}
	completionOffsets struct {
		head, tail, mask, entries, overflow, completions, flags, _ uint32
		_                                                          uint64
	}
	// submission is struct io_uring_sqe, as far as a read needs it.
	submission struct {
		opcode, flags   uint8
		priority        uint16
		fd              int32
		offset, address uint64
		length, how     uint32
		user            uint64
		_               [3]uint64
	}
	// completion is struct io_uring_cqe.
	completion struct {
		user   uint64
		result int32
		flags  uint32
	}
)

// queues are the two queues of an io_uring that reads. Nothing is under way between two calls, as no read
// of them waits: RWF_NOWAIT.
type queues struct {
	fd                     int
	shared, entries        []byte // mapped
	submitted, submit      *uint32
	completed, complete    *uint32
	submissions            []submission
	completions            []completion
	submitMask, resultMask uint32
}

// newQueues makes room for so many reads, a power of two.
func newQueues(reads uint32) (*queues, error) {
	var p parameters
	fd, _, errno := unix.Syscall(unix.SYS_IO_URING_SETUP, uintptr(reads), uintptr(unsafe.Pointer(&p)), 0)
	if errno != 0 {
		return nil, errno
	}
	q := &queues{fd: int(fd)}
	if err := q.attach(&p); err != nil {
		q.close()
		return nil, err
	}
	return q, nil
}

// attach maps the queues. The place of an entry in the queue is its place in the array for ever.
func (q *queues) attach(p *parameters) error {
	if p.features&singleMapping == 0 {
		return unix.EOPNOTSUPP
	}
	length := max(p.submission.array+4*p.submissions, p.completion.completions+uint32(unsafe.Sizeof(completion{}))*p.completions)
	var err error
	if q.shared, err = unix.Mmap(q.fd, offsetQueues, int(length), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED|unix.MAP_POPULATE); err != nil {
		return fmt.Errorf("map the queues: %w", err)
	}
	length = uint32(unsafe.Sizeof(submission{})) * p.submissions
	if q.entries, err = unix.Mmap(q.fd, offsetEntries, int(length), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED|unix.MAP_POPULATE); err != nil {
		return fmt.Errorf("map the entries: %w", err)
	}
	at := func(offset uint32) *uint32 { return (*uint32)(unsafe.Pointer(&q.shared[offset])) }
	q.submitted, q.submit, q.submitMask = at(p.submission.head), at(p.submission.tail), *at(p.submission.mask)
	q.completed, q.complete, q.resultMask = at(p.completion.head), at(p.completion.tail), *at(p.completion.mask)
	q.submissions = unsafe.Slice((*submission)(unsafe.Pointer(&q.entries[0])), p.submissions)
	q.completions = unsafe.Slice((*completion)(unsafe.Pointer(&q.shared[p.completion.completions])), p.completions)
	places := unsafe.Slice(at(p.submission.array), p.submissions)
	for i := range places {
		places[i] = uint32(i)
	}
	return nil
}

// read reads once into each buffer, in their order, without waiting. A result is a length, or an error number as
// a negative one. The buffers must be on the heap: there they stay where they are. Results that the kernel has not
// come to are -EAGAIN after an error, which leaves the queues useless.
func (q *queues) read(fd int, into [][]byte, results []int) error {
	tail := atomic.LoadUint32(q.submit)
	for i, b := range into {
		q.submissions[(tail+uint32(i))&q.submitMask] = submission{
			opcode: opRead, fd: int32(fd), address: uint64(uintptr(unsafe.Pointer(&b[0]))), length: uint32(len(b)), how: unix.RWF_NOWAIT, user: uint64(i),
		}
		results[i] = -int(unix.EAGAIN)
	}
	atomic.StoreUint32(q.submit, tail+uint32(len(into)))
	for left := len(into); left > 0; {
		waiting := atomic.LoadUint32(q.submit) - atomic.LoadUint32(q.submitted)
		_, _, errno := unix.RawSyscall6(unix.SYS_IO_URING_ENTER, uintptr(q.fd), uintptr(waiting), uintptr(left), enterGet, 0, 0)
		runtime.KeepAlive(into)
		left -= q.collect(results)
		if errno != 0 && errno != unix.EINTR {
			return errno
		}
	}
	return nil
}

// collect takes what is complete.
func (q *queues) collect(results []int) (n int) {
	head, tail := atomic.LoadUint32(q.completed), atomic.LoadUint32(q.complete)
	for ; head != tail; head++ {
		c := q.completions[head&q.resultMask]
		results[c.user] = int(c.result)
		n++
	}
	atomic.StoreUint32(q.completed, head)
	return n
}

func (q *queues) close() {
	if q.entries != nil {
		_ = unix.Munmap(q.entries)
	}
	if q.shared != nil {
		_ = unix.Munmap(q.shared)
	}
	_ = unix.Close(q.fd)
}
