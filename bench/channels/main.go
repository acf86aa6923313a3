// The same work as channels_bench.cpp, in Go. Prints "name nanoseconds" or "name bytes", one per line.
package main

import (
	"fmt"
	"runtime"
	"sort"
	"sync"
	"time"
)

const repetitions = 5

func median(measure func() float64) float64 {
	values := make([]float64, repetitions)
	for i := range values {
		values[i] = measure()
	}
	sort.Float64s(values)
	return values[repetitions/2]
}

func report(name string, value float64) { fmt.Printf("%s %.3f\n", name, value) }

func check(ok bool, what string) {
	if !ok {
		panic(what)
	}
}

func per(start time.Time, n int) float64 { return float64(time.Since(start).Nanoseconds()) / float64(n) }

// Nanoseconds per waiter from close() until the last one has run.
func ring(waiters int) float64 {
	bell := make(chan struct{})
	var started, done sync.WaitGroup
	started.Add(waiters)
	done.Add(waiters)
	counts := make([]int32, waiters)
	for i := 0; i < waiters; i++ {
		go func(i int) {
			started.Done()
			<-bell
			counts[i]++
			done.Done()
		}(i)
	}
	started.Wait()
	time.Sleep(20 * time.Millisecond) // until the last one has parked
	runtime.GC()
	start := time.Now()
	close(bell)
	done.Wait()
	ns := per(start, waiters)
	sum := 0
	for _, c := range counts {
		sum += int(c)
	}
	check(sum == waiters, "a waiter was lost")
	return ns
}

func memory(waiters int) float64 {
	var before, after runtime.MemStats
	bell := make(chan struct{})
	var started, done sync.WaitGroup
	started.Add(waiters)
	done.Add(waiters)
	runtime.GC()
	runtime.ReadMemStats(&before)
	for i := 0; i < waiters; i++ {
		go func() {
			started.Done()
			<-bell
			done.Done()
		}()
	}
	started.Wait()
	runtime.ReadMemStats(&after)
	close(bell)
	done.Wait()
	return float64(after.Sys-before.Sys) / float64(waiters)
}

func spawnJoin(n int) float64 {
	total := 0
	start := time.Now()
	for i := 0; i < n; i++ {
		var wg sync.WaitGroup
		wg.Add(1)
		go func() { total++; wg.Done() }()
		wg.Wait()
	}
	ns := per(start, n)
	check(total == n, "a task was lost")
	return ns
}

func pingPong(n int) float64 {
	there, back := make(chan int), make(chan int)
	go func() {
		for v := range there {
			back <- v + 1
		}
		close(back)
	}()
	sum := 0
	start := time.Now()
	for i := 0; i < n; i++ {
		there <- i
		sum += <-back
	}
	ns := per(start, n)
	close(there)
	<-back
	check(sum == n*(n+1)/2, "a value was lost")
	return ns
}

func selectReady(n int) float64 {
	a, b := make(chan int, 1), make(chan int)
	sum := 0
	start := time.Now()
	for i := 0; i < n; i++ {
		a <- 1
		select {
		case v := <-a:
			sum += v
		case v := <-b:
			sum -= v
		}
	}
	ns := per(start, n)
	check(sum == n, "a value was lost")
	return ns
}

// The other task sends only when this one waits in its select: an answer channel paces it.
func selectWoken(n int) float64 {
	a, b, next := make(chan int), make(chan int), make(chan int)
	go func() {
		for v := range next {
			a <- v
		}
	}()
	sum := 0
	start := time.Now()
	for i := 0; i < n; i++ {
		next <- 1
		select {
		case v := <-a:
			sum += v
		case v := <-b:
			sum -= v
		}
	}
	ns := per(start, n)
	close(next)
	check(sum == n, "a value was lost")
	return ns
}

func timers(n int) float64 {
	all := make([]*time.Timer, n)
	fired := 0
	x := uint32(1)
	start := time.Now()
	for i := range all {
		x = x*1664525 + 1013904223
		all[i] = time.AfterFunc(time.Hour+time.Duration(x), func() { fired++ })
	}
	stopped := 0
	for _, t := range all {
		if t.Stop() {
			stopped++
		}
	}
	ns := per(start, n)
	check(stopped == n && fired == 0, "a timer fired")
	return ns
}

func main() {
	report("memory_per_waiter", memory(200000))
	report("ring_1", median(func() float64 { return ring(1) }))
	report("ring_1000", median(func() float64 { return ring(1000) }))
	report("ring_100000", median(func() float64 { return ring(100000) }))
	report("ring_1000000", median(func() float64 { return ring(1000000) }))
	report("spawn_join", median(func() float64 { return spawnJoin(300000) }))
	report("ping_pong", median(func() float64 { return pingPong(300000) }))
	report("select_ready", median(func() float64 { return selectReady(1000000) }))
	report("select_woken", median(func() float64 { return selectWoken(300000) }))
	report("timers", median(func() float64 { return timers(1000000) }))
}
