import json, random, subprocess
folder, servers, topic, partitions, events = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5])
random.seed(5)
start = 1767225600000000
dead = 0
sound = open(folder + '/events.csv', 'w')
sound.write('partition,position,auction,bidder,price,micros\n')
files = [open(f'{folder}/p{p}', 'w') for p in range(partitions)]
def iso(t):
    import datetime
    return datetime.datetime.fromtimestamp(t / 1e6, datetime.timezone.utc).strftime('%Y-%m-%dT%H:%M:%S.%fZ')
for n in range(events):
    p, position = n % partitions, n // partitions
    time = start + n * 400
    if n % 211 == 0: time -= random.randrange(30_000_000)
    else: time -= random.randrange(900_000)
    auction, bidder, price = random.randrange(1500), random.randrange(9000), random.randrange(1, 100_000)
    if n % 5003 == 17: files[p].write('{"auction": 1, "bidder": \n'); dead += 1; continue
    if n % 7001 == 99: price = 0
    files[p].write(f'{{"auction":{auction},"bidder":{bidder},"price":{price},"date_time":"{iso(time)}"}}\n')
    if price == 0: dead += 1; continue
    sound.write(f'{p},{position},{auction},{bidder},{price},{time}\n')
sound.close()
open(folder + '/dead', 'w').write(str(dead))
for p, file in enumerate(files):
    file.close()
    subprocess.run(['kcat', '-P', '-b', servers, '-t', topic, '-p', str(p), '-X', 'acks=all',
                    '-X', 'linger.ms=20', '-l', file.name], check=True)
